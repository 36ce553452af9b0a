"""Behaviour cloning on the offline part of a batch: a warm start, and a small term beside the critics."""

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.learner.batch import Batch
from workers.learner.networks import Actor, CriticEnsemble
from workers.learner.sharding import ALONE, Shard


def actor_imitation_loss(
    actor: Actor, z: Tensor, motion: Tensor, weights: Tensor, shard: Shard = ALONE
) -> Tensor:
    """Weighted mean over rows of |tanh(mean(z)) - a|^2 for motions a; 0 when no row has weight."""
    mean, _ = actor(z)
    error = (mean.tanh() - motion).square().sum(dim=1)
    return _weighted_mean(error, weights, shard)


@torch.no_grad()
def preferred_demonstrations(actor: Actor, critics: CriticEnsemble, z: Tensor, batch: Batch) -> Tensor:
    """1 for offline rows where min Q(s, a_demo) > min Q(s, tanh(mean(z))), float32 [B].

    The Q-filter of Nair et al. 2018: what the critics value less than the policy's own is not imitated.
    """
    policy_q = critics(z, actor(z)[0].tanh()).amin(dim=0)
    demonstrated_q: Tensor = critics(z, batch.motion).amin(dim=0)
    preferred: Tensor = batch.offline * (demonstrated_q > policy_q)
    return preferred


def gripper_margin_loss(
    gripper_q: Tensor, command: Tensor, weights: Tensor, margin: float, shard: Shard = ALONE
) -> Tensor:
    """Weighted mean of max_u (Q(s, u) + margin [u != u_demo]) - Q(s, u_demo).

    DQfD's large margin (Hester et al. 2018). `gripper_q` [B, 3], `command` int64 [B]. It asks for an order of
    values, not for values: it does not fight the Bellman targets as a cross-entropy on Q would.
    """
    others = margin * (1 - F.one_hot(command, gripper_q.shape[1]))
    demonstrated = gripper_q.gather(1, command.unsqueeze(1)).squeeze(1)
    return _weighted_mean((gripper_q + others).amax(dim=1) - demonstrated, weights, shard)


def _weighted_mean(values: Tensor, weights: Tensor, shard: Shard) -> Tensor:
    """sum_b w_b x_b / max(1, sum_b w_b); on several ranks, what averages to that of the summed batch."""
    return (values * weights).sum() / shard.mean_weight(weights)
