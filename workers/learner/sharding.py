"""A rank's share of an update that several processes make together, over torch.distributed.

The summed batch is `world` times as long as a rank's own. Every random draw is made for all of it, with a
generator that stands alike on every rank; each rank keeps every `world`-th row, and what it learned from them
is averaged with the others'. That gives the update of one process on the summed batch, but for rounding.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


class RanksDiffer(Exception):
    """The ranks of one learner do not stand alike; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Which rows of the summed batch are this process's own. Alone, all of them, and nothing is sent.

    With a `world` above 1, torch.distributed's default group is initialised, of that size and with that rank,
    and every method but `rows` and `randn` is called by all ranks in the same order.
    """

    rank: int = 0
    world: int = 1

    @property
    def rows(self) -> slice:
        """Own rows among those of the summed batch."""
        return slice(self.rank, None, self.world)

    def randn(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Own rows of standard normal noise drawn for the summed batch, shaped as `like` [B, D]."""
        whole = (len(like) * self.world, *like.shape[1:])
        return torch.randn(whole, generator=generator, device=like.device)[self.rows]

    def mean_weight(self, weights: Tensor) -> Tensor:
        """What a weighted sum over own rows is divided by, so that the ranks' mean is the weighted mean.

        The weights' sum over the summed batch, at least 1, per rank; weights [B].
        """
        total = weights.sum()
        if self.world > 1:
            dist.all_reduce(total)
        return torch.clamp(total, min=1.0) / self.world

    def average_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace each gradient by its mean over the ranks: one message for all of them."""
        if self.world == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.world
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        means = [part.view(gradient.shape) for part, gradient in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, means)

    def read(self, metrics: Mapping[str, Tensor]) -> dict[str, float]:
        """Scalars as numbers, each the mean over the ranks. Waits for the device."""
        if self.world == 1:
            return {name: float(value) for name, value in metrics.items()}
        packed = torch.stack([value.float() for value in metrics.values()])
        dist.all_reduce(packed)
        return dict(zip(metrics, (packed / self.world).tolist(), strict=True))

    def require_alike(self, digest: bytes, of: str) -> None:
        """Raises RanksDiffer, on every rank, where the ranks' digests of something are not one and the same."""
        if self.world == 1:
            return
        own = torch.frombuffer(bytearray(digest), dtype=torch.uint8)
        all_ranks = [torch.empty_like(own) for _ in range(self.world)]
        dist.all_gather(all_ranks, own)
        odd = [str(rank) for rank, theirs in enumerate(all_ranks) if not torch.equal(theirs, all_ranks[0])]
        if odd:
            raise RanksDiffer(
                f"the learner's processes do not start from the same {of}: rank {', '.join(odd)} differs from"
                " rank 0. All read the same configuration file, run directory and weights, with the same"
                " version of PyTorch; start them together, on one machine, with torchrun."
            )


ALONE = Shard()
"""One process, as without torchrun."""


def digest(tensors: Mapping[str, Tensor]) -> bytes:
    """SHA-256 of names and contents of tensors on the CPU."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy())
    return total.digest()
