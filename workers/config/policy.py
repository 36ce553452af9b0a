"""[policy]: where it runs, how it sees, what it remembers."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Above0, Count, CountOr0, Problems, Section


class ActorLearnerConfig(Section, frozen=True, kw_only=True):
    policy_parameters_push_frequency: Above0 = 4.0
    """Seconds between two pushes of new weights from the learner to the actor."""


class PolicyConfig(Section, frozen=True, kw_only=True):
    device: Annotated[
        str,
        msgspec.Meta(pattern=r"^(cpu|mps|cuda(:[0-9]+)?)$", description='"cpu", "cuda", "cuda:<n>" or "mps"'),
    ] = "cpu"
    """Device the learner trains on."""
    vision_encoder_name: Literal["cnn", "resnet10", "resnet18"] = "cnn"
    """Image encoder: `cnn` is small and trained from scratch, the ResNets start from published weights."""
    freeze_vision_encoder: bool = True
    """Keep published weights as they are (ResNets); the `cnn` has none and is always trained."""
    image_encoder_hidden_dim: Annotated[int, msgspec.Meta(ge=2, multiple_of=2)] = 32
    """Channels of the `cnn` encoder's first layer; its second and third have 1.5 and 2 times as many."""
    latent_dim: Count = 256
    """Size of the picture's encoding that actor and critics see."""
    state_encoder_hidden_dim: Count = 256
    """Size of the arm state's encoding that actor and critics see."""
    online_buffer_capacity: Count = 100_000
    """Newest transitions kept for online replay."""
    offline_buffer_capacity: Count = 100_000
    """Newest transitions of demonstrations and interventions kept for offline replay."""
    online_step_before_learning: CountOr0 = 100
    """Environment steps of training before the first update."""
    torch_threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    """Processor threads the learner may use; leave one core for actor, cameras and arm."""
    actor_learner_config: ActorLearnerConfig = ActorLearnerConfig()
    """The link between actor and learner."""

    def problems(self) -> Problems:
        if self.online_step_before_learning > self.online_buffer_capacity:
            capacity = self.online_buffer_capacity
            text = f"more than online_buffer_capacity ({capacity}): learning would never start"
            yield ("online_step_before_learning",), text
