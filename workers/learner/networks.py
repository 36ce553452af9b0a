"""Heads over the encoded observation z: tanh-Gaussian actor, critic ensemble, gripper critic."""

import copy
import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.config import NetworkConfig, PolicyConfig

NUM_DISCRETE_ACTIONS = 3
"""Gripper commands: 0 close, 1 stay, 2 open."""
_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_LOG_2 = math.log(2.0)
_M = TypeVar("_M", bound=nn.Module)


def mlp(before: int, network: NetworkConfig) -> nn.Sequential:
    """Linear, LayerNorm, SiLU for each hidden layer."""
    layers: list[nn.Module] = []
    for width in network.hidden_dims:
        layers += [nn.Linear(before, width), nn.LayerNorm(width), nn.SiLU(inplace=True)]
        before = width
    return nn.Sequential(*layers)


class Actor(nn.Module):
    """pi(a|z) = tanh(N(mean(z), std(z)^2)); std is a standard deviation."""

    def __init__(self, z_dim: int, motion_dim: int, policy: PolicyConfig) -> None:
        super().__init__()
        self.body = mlp(z_dim, policy.actor_network_kwargs)
        width = policy.actor_network_kwargs.hidden_dims[-1]
        self.mean = nn.Linear(width, motion_dim)
        self.log_std = nn.Linear(width, motion_dim)
        bound = policy.policy_kwargs.init_final
        for layer in (self.mean, self.log_std):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)
        with torch.no_grad():
            self.log_std.bias.add_(math.log(policy.policy_kwargs.init_std))
        kwargs = policy.policy_kwargs
        self.log_std_range = (math.log(kwargs.std_min), math.log(kwargs.std_max))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """z [B, Z] -> mean and log std, [B, motion_dim] each, of the Gaussian before the tanh."""
        hidden = self.body(z)
        return self.mean(hidden), self.log_std(hidden).clamp(*self.log_std_range)

    def sample(self, z: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised motions [B, motion_dim] in (-1, 1) and their log-probabilities [B].

        `noise` is standard normal, [B, motion_dim].
        """
        mean, log_std = self(z)
        before_tanh = mean + log_std.exp() * noise
        return before_tanh.tanh(), tanh_gaussian_log_prob(before_tanh, noise, log_std)


def tanh_gaussian_log_prob(before_tanh: Tensor, noise: Tensor, log_std: Tensor) -> Tensor:
    """log pi(tanh(u)) = sum_i log N(u_i; mean_i, std_i^2) - log(1 - tanh(u_i)^2), in nats, [B].

    `noise` is (u - mean) / std. log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2 u)) is exact for large |u|
    (Haarnoja et al. 2018, appendix C, eq. 21).
    """
    gaussian = -0.5 * noise.square() - log_std - _LOG_SQRT_2PI
    squash = 2 * (_LOG_2 - before_tanh - F.softplus(-2 * before_tanh))
    return (gaussian - squash).sum(dim=1)


class EnsembleLinear(nn.Module):
    """`members` linear layers as one batched matrix product: [N, B, in] -> [N, B, out]."""

    def __init__(self, members: int, before: int, after: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(before)
        self.weight = nn.Parameter(torch.empty(members, before, after).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, after).uniform_(-bound, bound))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, inputs, self.weight)


class EnsembleLayerNorm(nn.Module):
    """LayerNorm with its own scale and offset for each member: [N, B, width]."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, 1, width))
        self.bias = nn.Parameter(torch.zeros(members, 1, width))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.addcmul(self.bias, F.layer_norm(inputs, inputs.shape[-1:]), self.weight)


class CriticEnsemble(nn.Module):
    """N independent Q(z, a) with LayerNorm (RLPD)."""

    def __init__(self, z_dim: int, motion_dim: int, members: int, network: NetworkConfig) -> None:
        super().__init__()
        self.members = members
        layers: list[nn.Module] = []
        before = z_dim + motion_dim
        for width in network.hidden_dims:
            layers += [
                EnsembleLinear(members, before, width),
                EnsembleLayerNorm(members, width),
                nn.SiLU(inplace=True),
            ]
            before = width
        self.layers = nn.Sequential(*layers, EnsembleLinear(members, before, 1))

    def forward(self, z: Tensor, motion: Tensor) -> Tensor:
        """z [B, Z], motion [B, motion_dim] -> Q [N, B]."""
        inputs = torch.cat([z, motion], dim=1).expand(self.members, -1, -1)
        return self.layers(inputs).squeeze(-1)  # type: ignore[no-any-return]


class GripperCritic(nn.Module):
    """Q(z, u) of the three gripper commands u: close, stay, open."""

    def __init__(self, z_dim: int, policy: PolicyConfig) -> None:
        super().__init__()
        network = policy.discrete_critic_network_kwargs
        self.body = mlp(z_dim, network)
        self.out = nn.Linear(network.hidden_dims[-1], NUM_DISCRETE_ACTIONS)

    def forward(self, z: Tensor) -> Tensor:
        """z [B, Z] -> Q [B, 3]."""
        return self.out(self.body(z))  # type: ignore[no-any-return]


def slow_copy(module: _M) -> _M:
    """A copy without gradients, to follow `module` slowly."""
    return copy.deepcopy(module).requires_grad_(False)


def held(module: _M) -> _M:
    """The same module without gradients, in the same memory: what changes in one has changed in the other."""
    twin = slow_copy(module)
    for own, shared in zip(twin.parameters(), module.parameters(), strict=True):
        own.data = shared.data
    return twin
