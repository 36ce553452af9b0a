"""What acts, apart from what learns: an exponential average of its weights.

Each update overshoots in some states and falls short in others; the policies that follow one another swing about a
better one. Their average acts in that one's place and learns nothing itself (Polyak & Juditsky 1992; for
reinforcement learning Nikishin et al. 2018).
"""

from collections.abc import Mapping

import torch
from torch import Tensor


class PolicyAverage:
    """w' <- w' + weight (w - w') after each update, for the weights `learned` by their names."""

    def __init__(self, learned: Mapping[str, Tensor], weight: float) -> None:
        self._learned = dict(learned)
        self._weight = weight
        self.tensors = {name: tensor.detach().clone() for name, tensor in self._learned.items()}
        """What acts."""

    @torch.no_grad()
    def follow(self) -> None:
        """Another update was made."""
        learned = [tensor.detach() for tensor in self._learned.values()]
        torch._foreach_lerp_([*self.tensors.values()], learned, self._weight)
