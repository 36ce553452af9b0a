"""Picture encoders of the classifier, with what each does to bytes first: the same in training and in the actor.

An encoder takes uint8 [B, H, W, 3] of one camera and gives float32 [B, h, w, C], or [B, C] of a transformer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.config import PolicyConfig
from workers.learner.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    BackboneNotFound,
    ResNet10,
    ResNet18,
    SmallCNN,
    build_backbone,
    bytes_to_float,
)
from workers.learner.packed import PackedBackbone, packed
from workers.reward.architecture import Architecture, Channels
from workers.reward.errors import ClassifierError

_SMALL_CNN_WIDTH = 32


class Normalise(nn.Module):
    """(x / 255 - mean) / std of each camera, after resizing where the encoder wants another size."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.numbers = {camera: number for number, camera in enumerate(architecture.cameras)}
        self.size = architecture.input_size
        for name, given, usual in (
            ("mean", architecture.image_mean, IMAGENET_MEAN),
            ("std", architecture.image_std, IMAGENET_STD),
        ):
            rows = [given.get(camera, usual) for camera in architecture.cameras]
            self.register_buffer(name, torch.tensor(rows).view(len(rows), 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, camera: str) -> Tensor:
        """uint8 [B, H, W, 3] of `camera` -> float32 [B, 3, H, W]."""
        pixels = bytes_to_float(images).div_(255)
        if self.size is not None and pixels.shape[2:] != self.size:
            pixels = F.interpolate(pixels, self.size, mode="bilinear", antialias=True)
        number = self.numbers[camera]
        mean, std = self.get_buffer("mean")[number], self.get_buffer("std")[number]
        return pixels.sub(mean).div(std)


class PictureEncoder(nn.Module):
    """One backbone for all cameras."""

    def __init__(self, backbone: nn.Module, architecture: Architecture) -> None:
        super().__init__()
        self.backbone, self.normalise = backbone, Normalise(architecture)
        self.packed: PackedBackbone | None = None
        """In place of the backbone, once `pack` was called."""
        self.frozen = not any(parameter.requires_grad for parameter in backbone.parameters())

    def forward(self, images: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """uint8 [B, H, W, 3] by camera -> float32 [B, h, w, C] or [B, C] of each; none of it trains a frozen backbone.

        Cameras whose pictures have one size are one batch: of two, on one core, a ResNet-10 takes 12 % less time.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            prepared = [self._prepared(of, camera) for camera, of in images.items()]
            if len({of.shape for of in prepared}) == 1:
                return self._encoded(torch.cat(prepared)).chunk(len(prepared))
            return tuple(self._encoded(of) for of in prepared)

    def _prepared(self, images: Tensor, camera: str) -> Tensor:
        """What the backbone takes of uint8 [B, H, W, 3]: the small CNN normalises in its first layer."""
        return images if isinstance(self.backbone, SmallCNN) else self.normalise(images, camera)

    def _encoded(self, prepared: Tensor) -> Tensor:
        if isinstance(self.backbone, ResNet10 | ResNet18):
            return _places_first((self.packed or self.backbone).maps(prepared))
        encoded: Tensor = self.backbone(prepared)
        return _places_first(encoded) if isinstance(self.backbone, SmallCNN) else encoded

    def pack(self, height: int, width: int) -> None:
        """Lay out a frozen backbone to judge one observation at a time, with the weights that it has now."""
        cameras = len(self.normalise.numbers)
        height, width = self.normalise.size or (height, width)
        self.packed = packed(self.backbone, torch.float32, (cameras, height, width, 3))

    def train(self, mode: bool = True) -> "PictureEncoder":
        """A frozen backbone stays as it was published, dropout included."""
        super().train(mode)
        self.backbone.train(mode and not self.frozen)
        return self


class Transformer(nn.Module):
    """A vision transformer of Hugging Face's; the first token stands for the picture."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [B, 3, H, W] -> [B, C]."""
        first: Tensor = self.model(pixels).last_hidden_state[:, 0]
        return first


def built(architecture: Architecture, pretrained: bool) -> tuple[PictureEncoder, Architecture]:
    """The encoder, and the architecture with what its published description adds.

    Without `pretrained` the weights stay random, and nothing is fetched. Raises ClassifierError.
    """
    if architecture.model_type == "transformer":
        model, architecture = _transformer(architecture)
        model.requires_grad_(not architecture.freeze_vision_encoder)
        return PictureEncoder(model, architecture), architecture
    policy = PolicyConfig(
        vision_encoder_name=architecture.model_name,
        freeze_vision_encoder=architecture.freeze_vision_encoder,
        image_encoder_hidden_dim=_SMALL_CNN_WIDTH,
        input_downsample=1,
    )
    try:
        return PictureEncoder(build_backbone(policy, 1, pretrained), architecture), architecture
    except BackboneNotFound as error:
        raise ClassifierError(
            f'reward_classifier.model_name = "{architecture.model_name}": {error}'
        ) from error


def _transformer(architecture: Architecture) -> tuple[nn.Module, Architecture]:
    """From the description in a checkpoint, else as published."""
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError as error:
        raise ClassifierError(
            'reward_classifier.model_type = "transformer" needs the package transformers, which is not installed:'
            ' pip install "hilserl-tui[transformer]"'
        ) from error
    if architecture.transformer is not None:
        settings = dict(architecture.transformer)
        config = AutoConfig.for_model(str(settings.pop("model_type")), **settings)
        return Transformer(_vision_part(AutoModel.from_config(config))), architecture
    name = architecture.model_name
    try:
        model = AutoModel.from_pretrained(name, trust_remote_code=False, use_safetensors=True)
    except (OSError, ValueError, ImportError) as error:  # its refusals are of all three kinds
        raise ClassifierError(
            f'reward_classifier.model_name = "{name}" could not be fetched as a transformer: {error}'
        ) from error
    vision = _vision_part(model)
    size = _input_size(getattr(vision.config, "image_size", None))
    mean, std = _published_normalisation(name)
    return Transformer(vision), msgspec.structs.replace(
        architecture,
        transformer=_plain(model.config.to_dict()),
        input_size=size,
        image_mean=architecture.image_mean or dict.fromkeys(architecture.cameras, mean),
        image_std=architecture.image_std or dict.fromkeys(architecture.cameras, std),
    )


def _vision_part(model: Any) -> Any:
    """The part of a model of pictures and text that sees."""
    vision = getattr(model, "vision_model", model)
    if not hasattr(vision.config, "hidden_size"):
        raise ClassifierError(f"{type(model).__name__} is no vision transformer: it has no hidden_size")
    return vision


def _published_normalisation(name: str) -> tuple[Channels, Channels]:
    """As the model's image processor has it; ImageNet's where it has none."""
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(name)
        return tuple(processor.image_mean), tuple(processor.image_std)
    except (OSError, ValueError, ImportError, AttributeError):
        return IMAGENET_MEAN, IMAGENET_STD


def _input_size(given: object) -> tuple[int, int] | None:
    match given:
        case int():
            return given, given
        case [int() as height, int() as width]:
            return height, width
    return None


def _plain(settings: Mapping[str, Any]) -> dict[str, object]:
    """What JSON can hold of a description."""
    kinds = (str, int, float, bool, list, dict, type(None))
    return {key: value for key, value in settings.items() if isinstance(value, kinds)}


def _places_first(maps: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, h, w, C]."""
    return maps.permute(0, 2, 3, 1)
