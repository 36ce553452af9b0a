"""Batches: what replay gives and the updates take."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Observation:
    """A batch of observations."""

    state: Tensor
    """float32 [B, state_dim]"""
    images: Tensor
    """uint8 [B, cameras, height, width, 3]"""

    def to(self, device: torch.device) -> "Observation":
        """The same batch on `device`; pictures cross as bytes."""
        return Observation(
            self.state.to(device, non_blocking=True), self.images.to(device, non_blocking=True)
        )


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
        """The same batch on `device`."""
        return Batch(
            observation=self.observation.to(device),
            next_observation=self.next_observation.to(device),
            action=self.action.to(device, non_blocking=True),
            motion_dim=self.motion_dim,
            reward=self.reward.to(device, non_blocking=True),
            terminated=self.terminated.to(device, non_blocking=True),
            discrete_penalty=self.discrete_penalty.to(device, non_blocking=True),
            offline=self.offline.to(device, non_blocking=True),
        )
