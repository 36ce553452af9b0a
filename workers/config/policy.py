"""[policy]: where it runs, how it sees and acts, what it remembers."""

from typing import Annotated, Literal

import msgspec

from workers.config.network import NetworkConfig
from workers.config.values import Above0, Count, CountOr0, Device, Problems, Section

VisionEncoderName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(cnn|lerobot_cnn|resnet10|resnet18|[A-Za-z0-9][\w.-]*/[\w.-]+|.*\.safetensors)$",
        description='"cnn", "lerobot_cnn", "resnet10", "resnet18", a hub id such as "lerobot/resnet10",'
        ' or the path of a file that ends in ".safetensors"',
    ),
]


Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
ActorId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$",
        description="1 to 32 letters, digits, '.', '_' or '-', starting with a letter or digit",
    ),
]


class ActorLearnerConfig(Section, frozen=True, kw_only=True):
    learner_host: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """Host of a learner that runs elsewhere (`hilserl-worker learner`); without it, the learner runs here."""
    learner_port: Port = 50051
    """Port of that learner."""
    actor_id: ActorId = "arm"
    """Name of this arm among all that feed the learner."""
    image_format: Literal["raw", "jpeg"] = "raw"
    """How pictures travel to that learner: `raw`, or `jpeg` at about a tenth of the bytes, with small losses."""
    policy_parameters_push_frequency: Above0 = 4.0
    """Seconds between two pushes of new weights from the learner to the actor."""
    queue_get_timeout: Above0 = 2.0
    """Longest sleep of a learner that has nothing to do before it looks for new transitions by itself, in seconds."""


class PolicyKwargsConfig(Section, frozen=True, kw_only=True):
    std_min: Above0 = 1e-5
    """Smallest standard deviation of an action before its tanh."""
    std_max: Above0 = 10.0
    """Largest standard deviation of an action before its tanh."""
    init_final: Above0 = 0.05
    """Bound of the uniform first weights of the mean and standard deviation layers."""
    init_std: Above0 = 1.0
    """About the standard deviation that a new policy begins with; 1 flails, 0.2 keeps close to what it cloned."""

    def problems(self) -> Problems:
        if self.std_min >= self.std_max:
            yield ("std_min",), f"{self.std_min:g} is not below std_max ({self.std_max:g})"


class PolicyConfig(Section, frozen=True, kw_only=True):
    device: Device = "cpu"
    """Device the learner trains on."""
    storage_device: Device = "cpu"
    """Device that holds replay: a GPU with room for it saves the copy of every batch."""
    vision_encoder_name: VisionEncoderName = "cnn"
    """`cnn` (small, from scratch), `lerobot_cnn` (LeRobot loads it), `resnet10`, `resnet18`, or a hub id or file of
    other ResNet-10 weights."""
    freeze_vision_encoder: bool = True
    """Keep published weights as they are (ResNets); the two `cnn` have none and are always trained."""
    image_encoder_hidden_dim: Annotated[int, msgspec.Meta(ge=2, le=1024, multiple_of=2)] = 32
    """Channels of the `cnn`'s first layer, its next two have 1.5 and 2 times as many; of each of `lerobot_cnn`'s."""
    input_downsample: Literal[1, 2] = 2
    """2: the `cnn` sees pictures at half size, 2x2 pixels averaged: nearly three times cheaper than 1."""
    camera_fusion: Literal["late", "early"] = "late"
    """`late`: each picture through one encoder; `early`: the `cnn` adds them up after its first layer."""
    image_embedding_pooling_dim: CountOr0 = 0
    """Learned spatial embeddings of each channel before the last layer (LeRobot: 8); 0 takes every place."""
    latent_dim: Count = 256
    """Size of the encoding of a picture (with early fusion, of all pictures) that actor and critics see."""
    state_encoder_hidden_dim: Count = 256
    """Size of the arm state's encoding that actor and critics see."""
    actor_network_kwargs: NetworkConfig = NetworkConfig()
    """Hidden layers of the actor."""
    discrete_critic_network_kwargs: NetworkConfig = NetworkConfig()
    """Hidden layers of the gripper's critic."""
    policy_kwargs: PolicyKwargsConfig = PolicyKwargsConfig()
    """Standard deviation and first weights of the actor."""
    online_steps: Count = 1_000_000
    """Environment steps of training after which the run ends."""
    online_buffer_capacity: Count = 100_000
    """Newest transitions kept for online replay."""
    offline_buffer_capacity: Count = 100_000
    """Newest transitions of demonstrations and interventions kept for offline replay."""
    online_step_before_learning: CountOr0 = 100
    """Environment steps of training before the first update."""
    use_torch_compile: bool | None = None
    """Compile losses and steps of the optimisers when training begins, which takes up to a minute: on a GPU updates are
    then 1.7 to 2.4 times as fast. Not given: on a GPU yes, else no. What cannot be compiled runs as it is."""
    use_amp: bool = False
    """Compute the picture encoder's convolutions in bfloat16, half the bytes; the weights stay float32. For GPUs, and
    for CPUs that compute in it (AVX-512 BF16, AMX): a ResNet then takes about half the time, learner and actor."""
    torch_threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    """Processor threads the learner may use; leave one core for actor, cameras and arm."""
    feature_replay: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    """Replay keeps what a frozen ResNet makes of each frame instead of its pictures, for so many random shifts (33 kB
    each with two 128x128 cameras), and updates are 4 times as fast on a GPU, 30 to 50 on a CPU; 0 keeps pictures."""
    actor_learner_config: ActorLearnerConfig = ActorLearnerConfig()
    """The link between actor and learner."""

    @property
    def compiles(self) -> bool:
        """Whether updates are compiled."""
        return self.device.startswith("cuda") if self.use_torch_compile is None else self.use_torch_compile

    def problems(self) -> Problems:
        if self.online_step_before_learning > self.online_buffer_capacity:
            capacity = self.online_buffer_capacity
            text = f"more than online_buffer_capacity ({capacity}): learning would never start"
            yield ("online_step_before_learning",), text
        name = self.vision_encoder_name
        if self.feature_replay and (name in _TRAINED or not self.freeze_vision_encoder):
            text = "does nothing here: only features of a frozen ResNet stay as they are; set it to 0, or choose one"
            yield ("feature_replay",), text
        own = {"cnn": _OF_CNN, "lerobot_cnn": _OF_CNN[:1]}.get(name, ())
        for key in _OF_CNN:
            if key not in own and getattr(self, key) != getattr(_DEFAULT, key):
                yield (key,), f'does nothing here: only "cnn" has it, not "{name}"'


_OF_CNN = ("image_encoder_hidden_dim", "input_downsample", "camera_fusion")
_TRAINED = ("cnn", "lerobot_cnn")
_DEFAULT = PolicyConfig()
