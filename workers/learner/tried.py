"""What the policy tried in an update, for the eyes of people: the loss does not depend on it.

Figures stay on the device, as all metrics of an update do; whoever reads them waits, every `log_freq` updates.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from workers.learner.sharding import ALONE, Shard

AT_THE_END = 0.98
"""A component of a motion, of [-1, 1], from which on it counts as saturated."""


class Tried(NamedTuple):
    """Motions that the policy drew for the states of a batch."""

    motion: Tensor
    """float32 [B, motion_dim] in (-1, 1)"""
    q: Tensor
    """float32 [B]: what the critics' minimum gives them"""

    def metrics(self, offline: Tensor, shard: Shard) -> dict[str, Tensor]:
        """Scalars. `offline` is 1 for rows of demonstrations and interventions, float32 [B].

        `q_policy` is over those rows alone: beside `q_demonstrations` it compares two actions in the same states.
        """
        return {
            "q_policy": mean_of(self.q, offline, shard),
            "saturated": (self.motion.abs() > AT_THE_END).float().mean(),
        }


def mean_of(values: Tensor, weights: Tensor, shard: Shard = ALONE) -> Tensor:
    """Mean of `values` [B] over the rows of the summed batch whose weight is 1; over all rows where none is."""
    sums = shard.total(torch.stack([(values * weights).sum(), weights.sum(), values.mean()]))
    return (sums[2] / shard.world).where(sums[1] == 0, sums[0] / sums[1].clamp(min=1))
