"""The pictures of an observation, as records keep them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.processors.features import IMAGES

Observation = Mapping[str, NDArray[Any]]


def stack_pictures(observation: Observation) -> NDArray[np.uint8]:
    """uint8 [cameras, H, W, 3], in the observation's order; [0, 0, 0, 3] without cameras."""
    pictures = [value for name, value in observation.items() if name.startswith(IMAGES)]
    return np.stack(pictures) if pictures else np.empty((0, 0, 0, 3), np.uint8)
