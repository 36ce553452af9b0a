"""What a replay reads of a dataset: the actions and states of one episode, whoever recorded it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import Info
from workers.processors.features import ACTION, STATE


@dataclass(frozen=True, slots=True, eq=False)
class RecordedEpisode:
    """One episode, frame by frame."""

    actions: NDArray[np.float32]  # [n, action_dim]
    states: NDArray[np.float32] | None  # [n, N] before each action; None of a dataset without them


def read_episode(root: Path, info: Info, episode: int) -> RecordedEpisode:
    """Episode `episode` of the dataset in `root`. Raises DatasetError when its files are missing or damaged."""
    from workers.dataset.reader import Dataset  # brings what decodes videos

    columns = [key for key in (ACTION, STATE) if key in info.features]
    frames = Dataset(root).frames(episode, columns)
    states = frames[STATE].astype(np.float32) if STATE in frames else None
    return RecordedEpisode(frames[ACTION].astype(np.float32), states)
