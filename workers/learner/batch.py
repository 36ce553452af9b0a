"""Batches: what replay gives and the updates take."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Observation:
    """A batch of observations."""

    state: Tensor
    """float32 [B, state_dim]"""
    images: Tensor
    """uint8 [B, cameras, height, width, 3], or what a frozen backbone made of them: float16 [B, heads, h, w, C]"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of transitions; online ones first."""

    observation: Observation
    next_observation: Observation
    action: Tensor
    """float32 [B, action_dim]: the motion, then the gripper's command where there is a gripper"""
    motion_dim: int
    reward: Tensor
    """float32 [B]"""
    terminated: Tensor
    """float32 [B]: 1 where nothing is bootstrapped"""
    discrete_penalty: Tensor
    """float32 [B]: added to the gripper critic's reward"""
    offline: Tensor
    """float32 [B]: 1 for transitions of the offline half (demonstrations, interventions)"""

    @property
    def motion(self) -> Tensor:
        """Continuous part of the executed action, float32 [B, motion_dim] in [-1, 1]."""
        return self.action[:, : self.motion_dim]

    @property
    def command(self) -> Tensor:
        """Executed gripper command, int64 [B]: 0 close, 1 stay, 2 open. Not without a gripper."""
        return self.action[:, self.motion_dim].round().long()

    def to(self, device: torch.device) -> "Batch":
        """The same batch on `device`; pictures cross as bytes."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))

    def map(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """A batch of what `change` makes of every tensor."""
        return Batch(
            observation=Observation(change(self.observation.state), change(self.observation.images)),
            next_observation=Observation(
                change(self.next_observation.state), change(self.next_observation.images)
            ),
            action=change(self.action),
            motion_dim=self.motion_dim,
            reward=change(self.reward),
            terminated=change(self.terminated),
            discrete_penalty=change(self.discrete_penalty),
            offline=change(self.offline),
        )

    def tensors(self) -> list[Tensor]:
        """Every tensor, in an order that is the same for all batches."""
        sides = (self.observation, self.next_observation)
        numbers = [self.action, self.reward, self.terminated, self.discrete_penalty, self.offline]
        return [tensor for side in sides for tensor in (side.state, side.images)] + numbers


def joined(first: Tensor, second: Tensor) -> Tensor:
    """Both, one behind the other along the first dimension; as a view where they lie so in memory already."""
    same = first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    if same and first.is_contiguous() and second.data_ptr() == first.data_ptr() + first.nbytes:
        shape = (len(first) + len(second), *first.shape[1:])
        return first.as_strided(shape, first.stride(), first.storage_offset())
    return torch.cat([first, second])
