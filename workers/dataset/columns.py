"""The columns of a dataset: what the pipelines store of every step, and LeRobot's own five.

Types, shapes and names come from `Pipelines.stored`; here is only which column is filled from which field of a
step in the log.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import AUTOMATIC, Column
from workers.processors.features import (
    ACTION,
    DECIDER,
    IMAGES,
    INTERVENTION,
    PENALTY,
    REWARD,
    STATE,
    Features,
    pictures,
)
from workers.transport.record import DECIDERS, Step

DONE, TRUNCATED, SUCCESS = "next.done", "next.truncated", "next.success"
_FIELDS: dict[str, Callable[[Step], Any]] = {
    STATE: lambda step: step.state,
    ACTION: lambda step: step.action,
    REWARD: lambda step: step.reward,
    DONE: lambda step: step.terminated or step.truncated,
    TRUNCATED: lambda step: step.truncated,
    PENALTY: lambda step: step.discrete_penalty,
    INTERVENTION: lambda step: step.is_intervention,
    DECIDER: lambda step: DECIDERS.index(step.decided_by),
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


def frame_of(step: Step, stored: Features) -> dict[str, NDArray[Any]]:
    """One step as a row of all columns but the automatic ones; columns of one element have shape []."""
    cameras = list(pictures(stored))
    row: dict[str, NDArray[Any]] = {}
    for key, feature in sorted(stored.items()):
        if key.startswith(IMAGES):
            row[key] = step.images[cameras.index(key.removeprefix(IMAGES))]
        else:
            shape = () if feature.shape == (1,) else feature.shape
            row[key] = np.array(_FIELDS[key](step), feature.dtype).reshape(shape)
    row[SUCCESS] = np.array(step.reward > 0.0)
    return row
