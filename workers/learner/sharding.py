"""A rank's share of an update that several processes make together, over torch.distributed.

The summed batch is `world` times as long as a rank's own. Every random draw is made for all of it, with a
generator that stands alike on every rank; each rank keeps every `world`-th row, and what it learned from them
is averaged with the others'. That gives the update of one process on the summed batch, but for rounding.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

POLL_S = 0.02


class RanksApart(Exception):
    """The ranks of one learner cannot go on as one; the text says why and what to do."""


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

    def randn(self, rows: int, width: int, generator: torch.Generator) -> Tensor:
        """Own `rows` of standard normal noise drawn for the summed batch, [rows, width] on the generator's device."""
        whole = rows * self.world, width
        return torch.randn(whole, generator=generator, device=generator.device)[self.rows]

    def mean_weight(self, weights: Tensor) -> Tensor:
        """What a weighted sum over own rows is divided by, so that the ranks' mean is the weighted mean.

        The weights' sum over the summed batch, at least 1, per rank; weights [B].
        """
        total = weights.sum()
        if self.world > 1:
            self._sum(total)
        return torch.clamp(total, min=1.0) / self.world

    def total(self, values: Tensor) -> Tensor:
        """Sum of `values` over the ranks, any shape."""
        if self.world > 1:
            self._sum(values)
        return values

    def average_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace each gradient by its mean over the ranks: one message for all of them."""
        if self.world == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        self._sum(flat)
        flat /= self.world
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        means = [part.view(gradient.shape) for part, gradient in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, means)

    def read(self, metrics: Mapping[str, Tensor]) -> dict[str, float]:
        """Scalars as numbers, each the mean over the ranks. Waits for the device."""
        if self.world == 1:
            return {name: float(value) for name, value in metrics.items()}
        packed = torch.stack([value.float() for value in metrics.values()])
        self._sum(packed)
        return dict(zip(metrics, (packed / self.world).tolist(), strict=True))

    def broadcast(self, values: Tensor) -> None:
        """Give rank 0's values to all, in place; a tensor in main memory. Raises RanksApart."""
        with _with_the_others():
            dist.broadcast(values, src=0)

    def require_alike(self, digest: bytes, of: str, breathe: Callable[[], object] = lambda: None) -> None:
        """Raises RanksApart, on every rank, where the ranks' digests of something are not one and the same.

        `breathe` is called while the others are waited for. Raises RanksApart.
        """
        if self.world == 1:
            return
        own = torch.frombuffer(bytearray(digest), dtype=torch.uint8)
        all_ranks = [torch.empty_like(own) for _ in range(self.world)]
        with _with_the_others():
            gathering = dist.all_gather(all_ranks, own, async_op=True)
            while not gathering.is_completed():
                breathe()
                time.sleep(POLL_S)
            gathering.wait()
        odd = [str(rank) for rank, theirs in enumerate(all_ranks) if not torch.equal(theirs, all_ranks[0])]
        if odd:
            raise RanksApart(
                f"the learner's processes do not start from the same {of}: rank {', '.join(odd)} differs from"
                " rank 0. All read the same configuration file, run directory and weights, with the same"
                " version of PyTorch; start them together, on one machine, with torchrun."
            )

    def _sum(self, values: Tensor) -> None:
        with _with_the_others():
            dist.all_reduce(values)


@contextmanager
def _with_the_others() -> Iterator[None]:
    """torch.distributed raises RuntimeError for whatever keeps the ranks apart."""
    try:
        yield
    except RuntimeError as error:
        raise RanksApart(
            "another process of this learner is gone or does not answer, so that all end; what it said last is"
            " the reason. They go on from the newest checkpoint when started again, which torchrun does by itself"
            f" with --max-restarts. ({str(error).splitlines()[0].partition('. ')[0]})"
        ) from error


ALONE = Shard()
"""One process, as without torchrun."""


def digest(tensors: Mapping[str, Tensor]) -> bytes:
    """SHA-256 of names and contents of tensors on the CPU."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.digest()
