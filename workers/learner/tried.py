"""What the policy tried in an update, for the eyes of people: the loss does not depend on it.

Figures stay on the device, as all metrics of an update do; whoever reads them waits, every `log_freq` updates.
"""

from typing import NamedTuple

from torch import Tensor

AT_THE_END = 0.98
"""A component of a motion, of [-1, 1], from which on it counts as saturated."""


class Tried(NamedTuple):
    """Motions that the policy drew for the states of a batch."""

    motion: Tensor
    """float32 [B, motion_dim] in (-1, 1)"""
    q: Tensor
    """float32 [B]: what the critics' minimum gives them"""

    def metrics(self, offline: Tensor) -> dict[str, Tensor]:
        """Scalars. `offline` is 1 for rows of demonstrations and interventions, float32 [B].

        `q_policy` is over those rows alone: beside `q_demonstrations` it compares two actions in the same states.
        """
        return {
            "q_policy": mean_of(self.q, offline),
            "saturated": (self.motion.abs() > AT_THE_END).float().mean(),
        }


def mean_of(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of `values` [B] over the rows whose weight is 1; over all rows where none is."""
    some = weights.sum()
    chosen = (values * weights).sum() / some.clamp(min=1)
    return values.mean().where(some == 0, chosen)
