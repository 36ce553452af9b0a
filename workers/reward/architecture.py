"""What a reward classifier is made of: all that must be known before its weights mean anything."""

from collections.abc import Mapping

import msgspec

from workers.config import ClassifierConfig

Size = tuple[int, int]  # height, width in pixels
Channels = tuple[float, float, float]  # red, green, blue, of pictures in [0, 1]


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of the network and what it does to pictures first; in the JSON of a checkpoint."""

    cameras: dict[str, Size]
    """Cameras in the order of the heads, with the size of their pictures."""
    model_type: str = "cnn"
    model_name: str = "cnn"
    freeze_vision_encoder: bool = True
    num_classes: int = 2
    success_class: int = 1
    hidden_dim: int = 256
    latent_dim: int = 256
    image_embedding_pooling_dim: int = 8
    dropout_rate: float = 0.1
    image_mean: dict[str, Channels] = {}
    """By camera, what is taken from pictures in [0, 1]; the `cnn` has 0.5 in its first layer."""
    image_std: dict[str, Channels] = {}
    """By camera, what they are divided by then."""
    input_size: Size | None = None
    """What pictures are resized to; None: as they are."""
    transformer: dict[str, object] | None = None
    """`config.json` of a Hugging Face model."""

    @property
    def outputs(self) -> int:
        """Logits: one of two classes, else one a class."""
        return 1 if self.num_classes == 2 else self.num_classes


def architecture_of(config: ClassifierConfig, cameras: Mapping[str, Size]) -> Architecture:
    """The architecture that [reward_classifier] describes, for these cameras."""
    last = config.num_classes - 1
    return Architecture(
        cameras=dict(cameras),
        model_type=config.model_type,
        model_name=config.model_name,
        freeze_vision_encoder=config.freeze_vision_encoder and config.model_name != "cnn",
        num_classes=config.num_classes,
        success_class=last if config.success_class is None else config.success_class,
        hidden_dim=config.hidden_dim,
        latent_dim=config.latent_dim,
        image_embedding_pooling_dim=config.image_embedding_pooling_dim,
        dropout_rate=config.dropout_rate,
    )
