"""[algorithm]: SAC with demonstrations in half of every batch (RLPD), figure by figure."""

from typing import Annotated

import msgspec

from workers.config.network import NetworkConfig
from workers.config.values import Above0, AtLeast0, Count, CountOr0, Problems, Section, Share


class AlgorithmConfig(Section, frozen=True, kw_only=True):
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 256
    """Transitions in a batch of one process, online and offline together; N processes under torchrun make each
    update from N times as many, each with a whole replay in memory, and utd_ratio still counts updates."""
    online_ratio: Share = 0.5
    """Share of a batch drawn from online replay; the rest are demonstrations and interventions."""
    utd_ratio: Count = 2
    """Critic updates per environment step (update-to-data ratio) that the learner paces itself to."""
    discount: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.99
    """Discount per step; 1 / (1 - discount) steps is how far ahead the policy plans."""
    critic_target_update_weight: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.005
    """Weight of the critics in each update of their slow copies (Polyak averaging)."""
    temperature_init: Above0 = 0.01
    """Weight of the entropy at the start; tuned automatically from there."""
    target_entropy: float | None = None
    """Entropy the temperature aims at, in nats; without it, -(3 axes + gripper) / 2 = -2."""
    actor_lr: Above0 = 3e-4
    """Learning rate of the actor."""
    critic_lr: Above0 = 3e-4
    """Learning rate of the critics and the image encoder."""
    temperature_lr: Above0 = 3e-4
    """Learning rate of the temperature."""
    num_critics: Count = 2
    """Critics in the ensemble."""
    critic_network_kwargs: NetworkConfig = NetworkConfig()
    """Hidden layers of each critic."""
    num_subsample_critics: Count | None = None
    """Random critics whose minimum makes a target (2 of 10, say); without it, all."""
    use_backup_entropy: bool = True
    """Count the policy's entropy in the critics' targets."""
    policy_average_weight: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.02
    """What acts follows what learns by this much in each update: an average of the newest policies; 1 is the newest."""
    grad_clip_norm: Above0 = 40.0
    """Largest gradient norm of an update."""
    policy_update_freq: Count = 1
    """Critic updates per actor update."""
    discrete_exploration: Share = 0.05
    """Share of training steps whose gripper command is random."""
    bc_pretrain_updates: CountOr0 = 800
    """Updates on demonstrations alone before training starts (behaviour cloning); 0 is off."""
    bc_weight: AtLeast0 = 0.3
    """Weight of the behaviour-cloning term in the actor's loss; 0 is off."""
    bc_decay_updates: CountOr0 = 0
    """Actor updates over which that weight falls to 0; 0 keeps it."""
    bc_gripper_margin: AtLeast0 = 0.1
    """Lead in value that cloning gives the demonstrated gripper command over the others (DQfD)."""
    bc_q_filter: bool = False
    """Clone motion only where the critics value the demonstrated action above the policy's."""
    log_freq: Count = 50
    """Updates between two rows of metrics."""
    random_shift_px: Annotated[int, msgspec.Meta(ge=0, le=32)] = 4
    """Largest random shift of training pictures in pixels (DrQ augmentation); 0 is off."""

    def problems(self) -> Problems:
        if self.num_subsample_critics is not None and self.num_subsample_critics > self.num_critics:
            yield ("num_subsample_critics",), f"more than num_critics ({self.num_critics})"
        for key in ("bc_decay_updates", "bc_q_filter"):
            if getattr(self, key) and not self.bc_weight:
                yield (key,), "does nothing while bc_weight is 0; set bc_weight or remove this key"
