"""Settings of the policy networks and of the SAC/RLPD updates; LeRobot's names where it has them."""

from typing import Annotated, Literal, TypeVar

import msgspec

from workers.config import Config

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
_S = TypeVar("_S", bound=msgspec.Struct)
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class NetworkKwargs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shape of a fully connected network."""

    hidden_dims: tuple[PositiveInt, ...] = (256, 256)
    """Width of each hidden layer; every one is followed by LayerNorm and SiLU."""


class PolicyKwargs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The actor's tanh-Gaussian."""

    std_min: PositiveFloat = 1e-5
    """Smallest standard deviation before the tanh."""
    std_max: PositiveFloat = 10.0
    """Largest standard deviation before the tanh."""
    init_final: PositiveFloat = 0.05
    """Bound of the uniform initial weights of the mean and log-std layers."""


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The networks that see and act."""

    vision_encoder_name: str = "cnn"
    """`cnn` (small, trained here), `resnet10`, `resnet18`, or a hub id or file of ResNet-10 weights."""
    freeze_vision_encoder: bool = True
    """Keep a pretrained backbone as it is; the small CNN is always trained."""
    image_encoder_hidden_dim: PositiveInt = 32
    """Channels of the small CNN's stem; the two convolutions after it have 1.5 and 2 times as many."""
    input_downsample: Literal[1, 2] = 2
    """2: the small CNN sees pictures at half size (2x2 pixels averaged), nearly three times cheaper."""
    camera_fusion: Literal["late", "early"] = "late"
    """`late`: each picture through one encoder; `early`: pictures meet after the stem, cheaper by a third."""
    image_embedding_pooling_dim: Count = 0
    """Learned spatial embeddings per channel before the linear layer (LeRobot: 8); 0 flattens the map."""
    latent_dim: PositiveInt = 128
    """Features per embedded picture (per stack of pictures with early fusion)."""
    state_encoder_hidden_dim: PositiveInt = 64
    """Features of the embedded arm state."""
    num_discrete_actions: Literal[3] = 3
    """Gripper commands: close, stay, open."""
    actor_network_kwargs: NetworkKwargs = NetworkKwargs()
    """Hidden layers of the actor."""
    discrete_critic_network_kwargs: NetworkKwargs = NetworkKwargs()
    """Hidden layers of the gripper critic."""
    policy_kwargs: PolicyKwargs = PolicyKwargs()
    """Standard deviation and initial weights of the actor."""
    discrete_exploration: Fraction = 0.05
    """Probability of a random gripper command while training; none in evaluation."""


class SACSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The updates: SAC (Haarnoja et al. 2018) with RLPD's symmetric sampling (Ball et al. 2023)."""

    discount: Fraction = 0.97
    """Discount of one environment step."""
    actor_lr: PositiveFloat = 3e-4
    """Adam step size of the actor."""
    critic_lr: PositiveFloat = 3e-4
    """Adam step size of encoder, critics and gripper critic."""
    temperature_lr: PositiveFloat = 3e-4
    """Adam step size of the log temperature."""
    temperature_init: PositiveFloat = 1e-2
    """Initial entropy temperature."""
    target_entropy: float | None = None
    """Entropy the temperature aims at; null is -(continuous dimensions + 1) / 2, LeRobot's rule."""
    use_backup_entropy: bool = False
    """Include the entropy of the next action in the critic targets."""
    num_critics: PositiveInt = 2
    """Critics in the ensemble."""
    num_subsample_critics: PositiveInt | None = None
    """Random critics of the ensemble that form a target; null takes all."""
    critic_network_kwargs: NetworkKwargs = NetworkKwargs()
    """Hidden layers of each critic."""
    critic_target_update_weight: Fraction = 0.01
    """Weight of the online critics in each target update."""
    grad_clip_norm: PositiveFloat = 40.0
    """Largest gradient norm, for critics with encoder and for the actor."""
    bc_weight: Weight = 0.0
    """Weight of the behaviour-cloning term on the offline half of each batch; 0 is off."""
    bc_decay_updates: Count = 0
    """Actor updates over which that weight falls linearly to 0; 0 keeps it."""
    bc_gripper_margin: Weight = 0.1
    """Lead in value that the demonstrated gripper command should have over the others (DQfD)."""
    bc_q_filter: bool = False
    """Apply the term only where the critics prefer the demonstrated action to the policy's."""

    def __post_init__(self) -> None:
        if self.num_subsample_critics is not None and self.num_subsample_critics > self.num_critics:
            raise ValueError(
                f"num_subsample_critics is {self.num_subsample_critics} but there are only {self.num_critics}"
                " critics; lower it or raise num_critics"
            )


class ReplaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much experience is kept in memory."""

    online_buffer_capacity: PositiveInt = 20_000
    """Online transitions kept; the oldest go first."""
    offline_buffer_capacity: PositiveInt = 10_000
    """Demonstration and intervention transitions kept; the oldest interventions go first."""


def policy_settings(config: Config) -> PolicySettings:
    """Networks as `[policy]` and `[algorithm]` ask for them."""
    return _pick(PolicySettings, config.algorithm, config.policy)


def sac_settings(config: Config) -> SACSettings:
    """Updates as `[algorithm]` asks for them."""
    return _pick(SACSettings, config.algorithm)


def replay_settings(config: Config) -> ReplaySettings:
    """Capacities as `[policy]` asks for them."""
    return _pick(ReplaySettings, config.policy)


def _pick(kind: type[_S], *sections: msgspec.Struct) -> _S:
    """A `kind` from the fields of the same name in `sections`; names are the same in both, by rule."""
    found = {
        name: getattr(section, name)
        for section in sections
        for name in section.__struct_fields__
        if name in kind.__struct_fields__
    }
    return kind(**found)
