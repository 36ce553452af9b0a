"""NoPolicy: the place of a policy in a run where people drive, and nobody else."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class NoPolicy:
    """Never drives, never changes."""

    version = 0

    def __init__(self) -> None:
        self.pinned = False

    def offer(self, version: int) -> None:
        """Nothing is waited for."""

    def swap(self) -> None:
        """There is nothing to swap."""

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        raise AssertionError("a run without a policy has no step for one")
