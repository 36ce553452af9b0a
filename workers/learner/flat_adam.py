"""Adam on parameters that lie side by side in memory, compiled: a handful of operations however many they are.

PyTorch's fused Adam gives each piece of 65,536 elements to one of a GPU's processors. The million and a half elements
here keep 24 of 132 busy, and clipping, counting and the slow copies come on top. As one piece they keep all.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

PIECE = 1 << 14
"""Elements: in pieces of this size PyTorch's operations on lists keep all of a GPU's processors busy."""
_NORM_EPSILON = 1e-6
"""As in `torch.nn.utils.clip_grad_norm_`."""


class FlatAdam:
    """Takes the steps of an `adam` of one parameter group; its state stays where it keeps it, for checkpoints.

    Parameters and moments become views of one piece of memory each. What loads them later must copy into them.
    """

    def __init__(self, adam: torch.optim.Adam, clip_norm: float) -> None:
        (group,) = adam.param_groups
        self._adam, self._clip_norm = adam, clip_norm
        self._parameters: list[Tensor] = group["params"]
        self.values = side_by_side(self._parameters)
        """All parameters, float32 [n]."""
        self._first, self._second, self._gradient = (torch.zeros_like(self.values) for _ in range(3))
        self._steps = torch.zeros(len(self._parameters), device=self.values.device)
        sizes = torch.tensor([one.numel() for one in self._parameters], device=self.values.device)
        numbers = torch.arange(len(sizes), dtype=torch.int32, device=sizes.device)
        self._owner = numbers.repeat_interleave(sizes)
        moments = zip(
            _views(self._first, self._parameters), _views(self._second, self._parameters), strict=True
        )
        for parameter, step, (first, second) in zip(self._parameters, self._steps, moments, strict=True):
            adam.state[parameter] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
        self._compiled = torch.compile(adam_step, dynamic=False)

    def step(self) -> tuple[Tensor, Tensor]:
        """The gradient's norm, and 1 where nothing was changed because that is NaN or infinite; scalars.

        Every parameter has a gradient.
        """
        gradients = [_in_memory_order(one.grad, one) for one in self._parameters]
        torch.cat(gradients, out=self._gradient)
        (group,) = self._adam.param_groups
        tensors = (self.values, self._gradient, self._first, self._second, self._steps, self._owner)
        return self._compiled(*tensors, group["lr"], group["betas"], group["eps"], self._clip_norm)


@torch.no_grad()
def adam_step(
    values: Tensor,
    gradient: Tensor,
    first: Tensor,
    second: Tensor,
    steps: Tensor,
    owner: Tensor,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
    clip_norm: float,
) -> tuple[Tensor, Tensor]:
    """Adam (Kingma & Ba 2015, algorithm 1) along the clipped gradient; `values` and the moments, [n], in place.

    `steps` [p] counts those of each parameter, and element i is one of parameter `owner[i]`. Nothing changes where the
    gradient holds NaN or infinity; the second result is 1 then, the first the gradient's norm.
    """
    norm = torch.linalg.vector_norm(gradient)
    finite = norm.isfinite()
    clipped = gradient * (clip_norm / (norm + _NORM_EPSILON)).clamp(max=1.0)
    steps.add_(finite)
    done = steps[owner]
    mean = betas[0] * first + (1 - betas[0]) * clipped
    square = betas[1] * second + (1 - betas[1]) * clipped.square()
    change = rate / (1 - betas[0] ** done) * mean / ((square / (1 - betas[1] ** done)).sqrt() + epsilon)
    values.copy_((values - change).where(finite, values))
    first.copy_(mean.where(finite, first))
    second.copy_(square.where(finite, second))
    return norm, 1 - finite.float()


def side_by_side(parameters: Sequence[Tensor]) -> Tensor:
    """Move `parameters`, dense ones, into one piece of memory and return it, [n]; each keeps its order there."""
    flat = torch.cat([_in_memory_order(one.detach(), one) for one in parameters])
    for parameter, view in zip(parameters, _views(flat, parameters), strict=True):
        parameter.data = view
    return flat


def _views(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Pieces of `flat` in the shapes and orders of memory of `like`."""
    pieces = torch.split(flat, [one.numel() for one in like])
    return [
        piece.as_strided(one.shape, one.stride(), piece.storage_offset())
        for piece, one in zip(pieces, like, strict=True)
    ]


def _in_memory_order(tensor: Tensor | None, like: Tensor) -> Tensor:
    """`tensor` as [n], in the order that `like` has in memory."""
    assert tensor is not None
    if tensor.stride() != like.stride():
        tensor = torch.empty_like(like).copy_(tensor)
    return tensor.as_strided((tensor.numel(),), (1,), tensor.storage_offset())
