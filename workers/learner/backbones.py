"""Picture backbones: uint8 pictures in, a feature map out.

Every backbone takes uint8 [M, H, W, 3] and gives float32 [M, C, h, w] in channels-last memory. That order
is kept throughout: 1.3 to 2.5 times faster per convolution on CPU than channels-first.
"""

from collections.abc import Iterable
from functools import reduce
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from workers.config import PolicyConfig
from workers.learner.blocks import picture_conv2d

RESNET10_HUB_ID = "lerobot/resnet10"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class BackboneNotFound(ValueError):
    """The named vision encoder or its weights cannot be had; the message says what can."""


class ScaledConv2d(nn.Conv2d):
    """Convolution without padding that sees x / 255 - 0.5 while it is given bytes.

    conv(x / 255 - 0.5; w, b) = conv(x; w / 255, b - 0.5 sum(w)): two passes over the largest tensor saved.
    """

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [M, 3, H, W] in 0..255 -> [M, out, h, w]."""
        assert self.bias is not None
        bias = self.bias - 0.5 * self.weight.sum(dim=(1, 2, 3))
        return picture_conv2d(pixels, self.weight / 255, bias, self.stride[0])


class _Stem(nn.Conv2d):
    """The first convolution, of a picture's three channels."""

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [M, 3, H, W] -> [M, out, h, w]."""
        return picture_conv2d(pixels, self.weight, self.bias, self.stride[0], int(self.padding[0]))


class SmallCNN(nn.Module):
    """4x4 stride-4 stem, then 3x3 stride-2 convolutions, ReLU after each.

    `stems` > 1 fuses that many pictures early: each has its own stem and their maps are added, which equals
    one stem over stacked channels without stacking them.
    """

    def __init__(self, width: int, halves: bool, stems: int) -> None:
        super().__init__()
        channels = (width, width * 3 // 2, width * 2)
        self.halves = halves
        self.stems = nn.ModuleList(ScaledConv2d(3, channels[0], 4, stride=4) for _ in range(stems))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in pairwise(channels)
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3], or [M, stems, H, W, 3] with early fusion -> float32 [M, C, h, w]."""
        pixels = self._pixels(images.reshape(-1, *images.shape[-3:]))
        stems = len(self.stems)
        maps = F.relu_(_sum_maps(stem(pixels[camera::stems]) for camera, stem in enumerate(self.stems)))
        for convolution in self.convolutions:
            maps = F.relu_(convolution(maps))
        return maps

    def _pixels(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3] -> float32 [M, 3, H, W] in 0..255."""
        return halved(images) if self.halves else bytes_to_float(images)


class LeRobotCNN(nn.Module):
    """LeRobot's own encoder (`GaussianActorConfig.vision_encoder_name = null`), so that it can take over what was
    learned here: convolutions 7x7, 5x5, 3x3, 3x3 of stride 2 without padding, ReLU after each."""

    SMALLEST_PX = 39  # leaves one place in the map

    def __init__(self, width: int) -> None:
        super().__init__()
        stem = ScaledConv2d(3, width, 7, stride=2)
        others = [nn.Conv2d(width, width, kernel, stride=2) for kernel in (5, 3, 3)]
        self.convolutions = nn.ModuleList([stem, *others])
        self.to(memory_format=torch.channels_last)

    def check_size(self, height: int, width: int) -> None:
        """Raises BackboneNotFound when nothing would be left of such pictures."""
        if min(height, width) < self.SMALLEST_PX:
            raise BackboneNotFound(
                f'policy.vision_encoder_name = "lerobot_cnn" needs pictures of {self.SMALLEST_PX}x{self.SMALLEST_PX}'
                f" pixels or more, not {width}x{height}: give it larger ones"
                " (env.processor.image_preprocessing.resize_size), or use the cnn"
            )

    def forward(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3] -> float32 [M, width, h, w]; 6x6 places for 128x128 pixels."""
        maps = bytes_to_float(images)
        for convolution in self.convolutions:
            maps = F.relu_(convolution(maps))
        return maps


def _sum_maps(parts: Iterable[Tensor]) -> Tensor:
    """Elementwise sum; a single part is passed on as it is."""
    return reduce(torch.add, parts)


def bytes_to_float(images: Tensor) -> Tensor:
    """uint8 [M, H, W, C] -> float32 [M, C, H, W] channels-last.

    Converted before it is permuted: torch's copy of a permuted byte tensor is 30 times slower.
    """
    return images.to(torch.float32).permute(0, 3, 1, 2)


def halved(images: Tensor) -> Tensor:
    """uint8 [M, H, W, C] -> float32 [M, C, H // 2, W // 2] channels-last: means of pairs across, then of pairs down.

    A CPU halves bytes, which is fastest there, and rounds half up each time; CUDA has no kernel for bytes and does
    the same in integers. Both give the same numbers: a policy may learn on one and act on the other.
    """
    if images.device.type == "cpu":
        smaller = F.interpolate(images.permute(0, 3, 1, 2), scale_factor=0.5, mode="bilinear")
        return bytes_to_float(smaller.permute(0, 2, 3, 1))
    return bytes_to_float(halved_in_integers(images))


def halved_in_integers(images: Tensor) -> Tensor:
    """uint8 [M, H, W, C] -> int16 [M, H // 2, W // 2, C]; see `halved`."""
    whole = images[:, : images.shape[1] // 2 * 2, : images.shape[2] // 2 * 2].to(torch.int16)
    across = (whole[:, :, 0::2] + whole[:, :, 1::2] + 1) >> 1
    return (across[:, 0::2] + across[:, 1::2] + 1) >> 1


class _GroupNorm(nn.Module):
    """GroupNorm of 4 groups under the parameter names of the published ResNet-10 weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(4, channels, eps=1e-5)

    def forward(self, maps: Tensor) -> Tensor:
        return self.group_norm(maps)  # type: ignore[no-any-return]


class _SameConv2d(nn.Module):
    """3x3 convolution without bias and with JAX's "SAME" padding: the odd pixel goes below and right."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        # Padding by one all around is the convolution's own work; any other makes a copy.
        self.conv = nn.Conv2d(before, after, 3, stride=stride, padding=int(stride == 1), bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        return self.conv(maps if self.stride == 1 else _pad_same(maps, 3, self.stride))  # type: ignore[no-any-return]


class _Pointwise(nn.Module):
    """1x1 strided convolution of a skip connection."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        return self.conv(maps)  # type: ignore[no-any-return]


class _BasicBlock(nn.Module):
    """Two 3x3 convolutions with GroupNorm and a skip."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = _SameConv2d(before, after, stride), _GroupNorm(after)
        self.conv2, self.norm2 = _SameConv2d(after, after, 1), _GroupNorm(after)
        skip = stride != 1 or before != after
        self.shortcut = nn.Sequential(_Pointwise(before, after, stride), _GroupNorm(after)) if skip else None

    def forward(self, maps: Tensor) -> Tensor:
        kept = maps if self.shortcut is None else self.shortcut(maps)
        maps = F.relu_(self.norm1(self.conv1(maps)))
        return F.relu_(self.norm2(self.conv2(maps)).add_(kept))


class ResNet10(nn.Module):
    """The ResNet-10 with GroupNorm of SERL (rail-berkeley/serl), parameter names as in lerobot/resnet10."""

    def __init__(self) -> None:
        super().__init__()
        stem = _Stem(3, 64, 7, stride=2, padding=3, bias=False)
        self.embedder = nn.Sequential(stem, _GroupNorm(64))
        widths = (64, 64, 128, 256, 512)
        self.encoder = nn.Module()
        self.encoder.stages = nn.ModuleList(
            _BasicBlock(before, after, 1 if stage == 0 else 2)
            for stage, (before, after) in enumerate(pairwise(widths))
        )
        _add_imagenet_buffers(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3] -> float32 [M, 512, ceil(H / 32), ceil(W / 32)]."""
        return self.maps(_normalise(self, images))

    def maps(self, pixels: Tensor) -> Tensor:
        """Normalised pictures, float32 [M, 3, H, W] -> float32 [M, 512, ceil(H / 32), ceil(W / 32)]."""
        maps: Tensor = self.embedder(pixels)
        # "SAME" padding again; `ceil_mode` adds the odd row below. ReLU keeps order: it may follow, on a quarter.
        padding = [_same_padding(size, 3, 2)[0] for size in maps.shape[2:]]
        maps = F.relu_(F.max_pool2d(maps, 3, stride=2, padding=padding, ceil_mode=True))
        for stage in self.encoder.stages:  # type: ignore[union-attr]
            maps = stage(maps)
        return maps


class ResNet18(nn.Module):
    """torchvision's ResNet-18 without pooling and classifier."""

    def __init__(self, pretrained: bool) -> None:
        """Raises BackboneNotFound when the published weights cannot be fetched."""
        super().__init__()
        from torchvision.models import ResNet18_Weights, resnet18

        try:
            net = resnet18(weights=ResNet18_Weights.IMAGENET1K_V1 if pretrained else None)
        except OSError as error:
            raise BackboneNotFound(
                f"torchvision's ResNet-18 weights could not be fetched ({error}): they come from the net once. Check"
                ' the network, or take "cnn", which needs none'
            ) from error
        self.layers = nn.Sequential(
            net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4
        )
        _add_imagenet_buffers(self)
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "ResNet18":
        """Batch statistics stay those of ImageNet: batches here are small and correlated."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3] -> float32 [M, 512, ceil(H / 32), ceil(W / 32)]."""
        return self.maps(_normalise(self, images))

    def maps(self, pixels: Tensor) -> Tensor:
        """Normalised pictures, float32 [M, 3, H, W] -> float32 [M, 512, ceil(H / 32), ceil(W / 32)]."""
        return self.layers(pixels)  # type: ignore[no-any-return]


def build_backbone(policy: PolicyConfig, cameras: int, pretrained: bool = True) -> nn.Module:
    """The backbone that `vision_encoder_name` names; one that does nothing where there are no cameras.

    With `pretrained` false the weights stay random: the actor gets them from the learner, tests need none.
    Raises BackboneNotFound when the name or its weights are unknown here.
    """
    if not cameras:
        return nn.Identity()
    name = policy.vision_encoder_name
    if name == "cnn":
        stems = cameras if policy.camera_fusion == "early" else 1
        return SmallCNN(policy.image_encoder_hidden_dim, policy.input_downsample == 2, stems)
    if name == "lerobot_cnn":
        return LeRobotCNN(policy.image_encoder_hidden_dim)
    backbone = ResNet18(pretrained) if name == "resnet18" else ResNet10()
    if name != "resnet18" and pretrained:
        load_resnet10(backbone, RESNET10_HUB_ID if name == "resnet10" else name)
    return backbone.requires_grad_(not policy.freeze_vision_encoder)


def load_resnet10(backbone: nn.Module, source: str) -> None:
    """Load published ResNet-10 weights from a safetensors file or a hub id. Raises BackboneNotFound."""
    path = Path(source) if source.endswith(".safetensors") else _download(source)
    if not path.is_file():
        raise BackboneNotFound(f"vision encoder weights {source!r} are not a file; check the path")
    tensors = load_file(path)
    known = backbone.state_dict()
    wrong = [
        name for name, tensor in known.items() if name not in tensors or tensors[name].shape != tensor.shape
    ]
    if wrong:
        raise BackboneNotFound(
            f"vision encoder weights {source!r} lack {len(wrong)} of ResNet-10's tensors, {wrong[0]!r} first;"
            f" use {RESNET10_HUB_ID} or a file saved from it"
        )
    backbone.load_state_dict({name: tensors[name] for name in known})


def _download(hub_id: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(hub_id, "model.safetensors"))
    except LocalEntryNotFoundError as error:
        raise BackboneNotFound(
            f"vision encoder {hub_id!r} could not be fetched: the hub cannot be reached, and nothing of it is on this"
            ' machine yet. Check the network, name a .safetensors file of it, or take "cnn", which needs none'
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise BackboneNotFound(
            f"vision encoder {hub_id!r} could not be fetched ({type(error).__name__}). Known names: cnn,"
            " lerobot_cnn, resnet10, resnet18, a hub id with model.safetensors, or a path that ends in .safetensors"
        ) from error


def _add_imagenet_buffers(module: nn.Module) -> None:
    scale = 255 * torch.tensor(IMAGENET_STD)
    module.register_buffer("image_scale", 1 / scale, persistent=False)
    offset = torch.tensor(IMAGENET_MEAN) / torch.tensor(IMAGENET_STD)
    module.register_buffer("image_offset", offset, persistent=False)


def _normalise(module: nn.Module, images: Tensor) -> Tensor:
    """(x / 255 - mean) / std of ImageNet: uint8 [M, H, W, 3] -> float32 [M, 3, H, W] channels-last.

    Row by row, [M, H, 3 W]: an innermost dimension of three takes four times as long.
    """
    scale, offset = module.image_scale, module.image_offset
    assert isinstance(scale, Tensor)
    assert isinstance(offset, Tensor)
    width = images.shape[2]
    rows = images.flatten(2).to(torch.float32).mul_(scale.repeat(width)).sub_(offset.repeat(width))
    return rows.view(images.shape).permute(0, 3, 1, 2)


def _pad_same(maps: Tensor, kernel: int, stride: int) -> Tensor:
    height, width = (_same_padding(size, kernel, stride) for size in maps.shape[2:])
    return F.pad(maps, [*width, *height])


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels before and after, so that ceil(size / stride) places come out."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2
