"""Steps of the optimisers along the gradients of losses: clipped, averaged over the ranks, and never to nowhere."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workers.learner.flat_adam import FlatAdam
from workers.learner.sharding import Shard


class Descent:
    """Steps of `optimisers`, each of one parameter group; none along a gradient that is NaN or infinite."""

    def __init__(
        self,
        optimisers: Mapping[str, torch.optim.Adam],
        clip_norm: float,
        shard: Shard,
        device: torch.device,
    ) -> None:
        self._optimisers = optimisers
        self._clip_norm = clip_norm
        self._shard = shard
        self.flat: dict[str, FlatAdam] = {}
        """Of each optimiser, once `flatten` was called."""
        self.skipped_updates = torch.zeros((), device=device)
        """Updates without a step of an optimiser, because its gradient was NaN or infinite; on the device."""
        self._skipped_in_a_row = torch.zeros((), device=device)
        self._skip = torch.zeros((), device=device)

    def flatten(self) -> None:
        """Lay the parameters of each optimiser side by side, for steps over all of them at once."""
        self.flat = {name: FlatAdam(adam, self._clip_norm) for name, adam in self._optimisers.items()}

    def begin(self) -> None:
        """Another update begins; nothing of it was skipped yet."""
        self._skip.zero_()

    def down(self, loss: Tensor, *names: str) -> Tensor:
        """A step of each of the optimisers; the norm of the first one's gradient."""
        for name in names:
            self._optimisers[name].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norms = [self._step(name) for name in names]
        return norms[0]

    def end(self) -> dict[str, Tensor]:
        """Metrics of the update that ends: how many updates were skipped, in all and among the newest in a row."""
        self.skipped_updates.add_(self._skip)
        self._skipped_in_a_row.add_(1).mul_(self._skip)
        return {
            "skipped_updates": self.skipped_updates.clone(),
            "skipped_in_a_row": self._skipped_in_a_row.clone(),
        }

    def _step(self, name: str) -> Tensor:
        """One step along the gradient of the whole batch, unless that holds NaN or infinity; the gradient's norm."""
        optimiser = self._optimisers[name]
        parameters = optimiser.param_groups[0]["params"]
        self._shard.average_gradients(parameters)
        if name in self.flat and all(parameter.grad is not None for parameter in parameters):
            norm, skip = self.flat[name].step()
        else:
            norm = torch.nn.utils.clip_grad_norm_(parameters, self._clip_norm, foreach=True)
            skip = 1 - norm.isfinite().float()
            # torch's fused step leaves parameters and moments as they are where this is 1: the host need not know.
            optimiser.found_inf = skip  # type: ignore[attr-defined]
            optimiser.step()
        torch.maximum(self._skip, skip, out=self._skip)
        return norm
