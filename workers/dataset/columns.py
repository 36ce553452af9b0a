"""The columns of a dataset: what the pipelines store of every step, and LeRobot's own five.

Types, shapes and names come from `Pipelines.stored`; here is only which column is filled from which field of a
step in the log.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import AUTOMATIC, Column, Frames
from workers.processors.features import (
    ACTION,
    IMAGES,
    INTERVENTION,
    PENALTY,
    REWARD,
    STATE,
    Features,
    pictures,
)
from workers.transport.record import Step

DONE, TRUNCATED, SUCCESS = "next.done", "next.truncated", "next.success"
_FIELDS: dict[str, Callable[[Step], Any]] = {
    STATE: lambda step: step.state,
    ACTION: lambda step: step.action,
    REWARD: lambda step: step.reward,
    DONE: lambda step: step.terminated or step.truncated,
    TRUNCATED: lambda step: step.truncated,
    PENALTY: lambda step: step.discrete_penalty,
    INTERVENTION: lambda step: step.is_intervention,
}


def columns_of(stored: Features) -> dict[str, Column]:
    """The columns that the steps of these pipelines fill; LeRobot's automatic ones come last."""
    kept = {
        key: Column(
            "image" if key.startswith(IMAGES) else feature.dtype, feature.shape, feature.names or None
        )
        for key, feature in sorted(stored.items())
    }
    return {**kept, SUCCESS: Column("bool", (1,)), **AUTOMATIC}


def frames_of(steps: Sequence[Step], stored: Features) -> Frames:
    """A successful episode as columns, all but the automatic ones. Its last step is the success."""
    cameras = list(pictures(stored))
    frames: Frames = {}
    for key, feature in sorted(stored.items()):
        if key.startswith(IMAGES):
            camera = cameras.index(key.removeprefix(IMAGES))
            frames[key] = np.stack([step.images[camera] for step in steps])
        else:
            rows = np.array([_FIELDS[key](step) for step in steps], feature.dtype)
            frames[key] = rows.reshape(len(steps), *([] if feature.shape == (1,) else feature.shape))
    frames[SUCCESS] = np.arange(len(steps)) == len(steps) - 1
    return frames


def rows_of(frames: Frames) -> Iterator[dict[str, NDArray[Any]]]:
    """Frame after frame, as a writer takes them."""
    for number in range(len(next(iter(frames.values())))):
        yield {key: rows[number] for key, rows in frames.items()}
