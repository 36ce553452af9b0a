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
    """float32 [B, 4]: dx, dy, dz in [-1, 1], gripper command 0, 1 or 2"""
    reward: Tensor
    """float32 [B]"""
    terminated: Tensor
    """float32 [B]: 1 where nothing is bootstrapped"""
    discrete_penalty: Tensor
    """float32 [B]: added to the gripper critic's reward"""
    offline: Tensor
    """float32 [B]: 1 for transitions of the offline half (demonstrations, interventions)"""

    def to(self, device: torch.device) -> "Batch":
        """The same batch on `device`."""
        if self.reward.device == device:
            return self
        return Batch(
            observation=self.observation.to(device),
            next_observation=self.next_observation.to(device),
            action=self.action.to(device, non_blocking=True),
            reward=self.reward.to(device, non_blocking=True),
            terminated=self.terminated.to(device, non_blocking=True),
            discrete_penalty=self.discrete_penalty.to(device, non_blocking=True),
            offline=self.offline.to(device, non_blocking=True),
        )
