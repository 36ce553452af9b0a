"""What a replay reads of a dataset: the actions and states of one episode, whoever recorded it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.errors import DatasetError
from workers.dataset.layout import Info
from workers.processors.features import ACTION, STATE


@dataclass(frozen=True, slots=True, eq=False)
class RecordedEpisode:
    """One episode, frame by frame."""

    actions: NDArray[np.float32]  # [n, action_dim]
    states: NDArray[np.float32] | None  # [n, N] before each action; None of a dataset without them


def read_episode(root: Path, info: Info, episode: int) -> RecordedEpisode:
    """Episode `episode` of the dataset in `root`. Raises DatasetError when its files are missing or damaged."""
    try:
        table = _frames(root, info, episode)
    except (OSError, pa.ArrowException, LookupError) as error:
        why = error.args[0] if isinstance(error, LookupError) else error
        raise DatasetError(
            f"episode {episode} of {root} cannot be read: {why}. Was the dataset copied or downloaded to its end?"
        ) from error
    states = _rows(table, STATE) if STATE in table.column_names else None
    return RecordedEpisode(_rows(table, ACTION), states)


def _frames(root: Path, info: Info, episode: int) -> pa.Table:
    wanted = [("episode_index", "==", episode)]
    chunk, file = "data/chunk_index", "data/file_index"
    places = pq.read_table(root / "meta" / "episodes", columns=[chunk, file], filters=wanted).to_pylist()
    if not places:
        raise LookupError("it is not in the list of episodes")
    path = root / info.data_path.format(chunk_index=places[0][chunk], file_index=places[0][file])
    columns = [key for key in (ACTION, STATE, "frame_index") if key in info.features]
    frames = pq.read_table(path, columns=columns, filters=wanted)
    if not frames.num_rows:
        raise LookupError("its frames are missing")
    return frames.sort_by("frame_index")


def _rows(table: pa.Table, column: str) -> NDArray[Any]:
    return np.array(table[column].to_pylist(), np.float32)
