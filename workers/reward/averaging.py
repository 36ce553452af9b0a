"""The mean of a network's weights over its last steps: what single batches did to them cancels out.

An exponential moving average (Polyak and Juditsky 1992; Izmailov et al. 2018): it errs less on new pictures than the
weights of any one step, and changes little from epoch to epoch, so that it matters less which one is kept.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

_DECAY = 0.98  # a mean over the last 50 batches, one to two epochs
_FORGETTING = 5  # the mean of n steps is that of about the last n / 5, as long as these are fewer


class AveragedWeights:
    """Follows the trained weights of `network`."""

    def __init__(self, network: nn.Module) -> None:
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        moving = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        self._weights: list[Tensor] = [*trained, *moving]
        self._mean = [weight.detach().clone() for weight in self._weights]
        self._steps = 0

    @torch.no_grad()
    def follow(self) -> None:
        """After a step."""
        self._steps += 1
        share = max(1 - _DECAY, _FORGETTING / (_FORGETTING - 1 + self._steps))
        torch._foreach_lerp_(self._mean, [weight.detach() for weight in self._weights], share)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The network has the mean instead of its own weights."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for weight, mean in zip(self._weights, self._mean, strict=True):
            own = weight.detach().clone()
            weight.copy_(mean)
            mean.copy_(own)
