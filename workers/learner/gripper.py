"""The gripper's side of the algorithm: double DQN over its three commands, close, stay and open.

HIL-SERL (Luo et al. 2024) learns the gripper as a decision of its own beside the motion. Its critic sees the
encoding the motion's critics see and is trained with them, in one loss, because both train the encoder.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.batch import Batch
from workers.learner.imitation import gripper_margin_loss
from workers.learner.networks import GripperCritic, slow_copy
from workers.learner.sharding import ALONE, Shard


class GripperDQN:
    """Critic of the gripper's commands and its slow copy, with their equations."""

    def __init__(
        self, z_dim: int, policy: PolicyConfig, algorithm: AlgorithmConfig, shard: Shard = ALONE
    ) -> None:
        self._algorithm = algorithm
        self._shard = shard
        self.critic = GripperCritic(z_dim, policy)
        self.target = slow_copy(self.critic)

    def networks(self) -> dict[str, nn.Module]:
        """Both networks by their names in checkpoints."""
        return {"gripper": self.critic, "target_gripper": self.target}

    @torch.no_grad()
    def targets(self, batch: Batch, next_z: Tensor) -> Tensor:
        """y = r + penalty + gamma (1 - terminated) Q'(s', argmax_u Q(s', u)), [B].  Double DQN."""
        best = self.critic(next_z).argmax(dim=1, keepdim=True)
        value: Tensor = self.target(next_z).gather(1, best).squeeze(1)
        reward = batch.reward + batch.discrete_penalty
        return reward + self._algorithm.discount * (1 - batch.terminated) * value

    def loss(self, q: Tensor, batch: Batch, targets: Tensor) -> Tensor:
        """mean_b (Q(s, u) - y)^2 for the executed command u; `q` is Q(s, .) [B, 3]."""
        return F.mse_loss(q.gather(1, batch.command.unsqueeze(1)).squeeze(1), targets)

    def imitation_loss(self, q: Tensor, batch: Batch) -> Tensor:
        """The large margin by which the demonstrated commands are to lead, on the offline rows."""
        margin = self._algorithm.bc_gripper_margin
        return gripper_margin_loss(q, batch.command, batch.offline, margin, self._shard)
