"""A frozen backbone laid out for where it is: what an actor waits for, and a learner.

On a GPU a ResNet-10 has kernels of its own, see `gpu_resnet.py`. On a CPU it is for a picture at a time: oneDNN, which
computes PyTorch's convolutions there, wants weights in an order of its own, and PyTorch keeps them in
another and reorders them in every call: nothing beside a batch of 256, and for two pictures a third of a ResNet-10's
time, more with autocast, which casts them in every call too. Here both are done once.
"""

import copy
import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from workers.learner.backbones import ResNet10, ResNet18

_FURTHEST = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""What a packed backbone may differ by from its original, as a share of the largest element."""
log = logging.getLogger(__name__)

Packed = Callable[[Tensor], Tensor]
"""uint8 [M, H, W, 3] -> [M, C, h, w]."""
_P = TypeVar("_P", bound=Packed)


class _PackedConv2d(nn.Module):
    """A convolution that never changes again; it casts what it is given."""

    def __init__(self, conv: nn.Conv2d, dtype: torch.dtype) -> None:
        super().__init__()
        assert isinstance(conv.padding, tuple)
        places = [list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups]
        self._places: tuple[Any, ...] = tuple(places)
        self._dtype, self._ordered = dtype, False
        self._weight = conv.weight.detach().to(dtype)
        self._bias = None if conv.bias is None else conv.bias.detach().to(dtype)

    def forward(self, maps: Tensor) -> Tensor:
        """[M, C, H, W] -> `dtype` [M, out, h, w]. The first maps settle the order, which depends on their size."""
        kernels = torch.ops.mkldnn  # those that torch.compile takes when it may freeze weights
        if not self._ordered:
            order = [*self._places, list(maps.shape)]
            self._weight, self._ordered = kernels._reorder_convolution_weight(self._weight, *order), True
        given = maps.to(self._dtype)
        out: Tensor = kernels._convolution_pointwise(
            given, self._weight, self._bias, *self._places, "none", [], ""
        )
        return out


class PackedBackbone:
    """What a frozen backbone computes, faster, with the weights that it had when this was made.

    No module, so that it becomes no part of the state of one: weights are kept and sent as they were published.
    """

    def __init__(self, backbone: ResNet10 | ResNet18, dtype: torch.dtype) -> None:
        self._net = copy.deepcopy(backbone).eval()
        _fold(self._net)
        _pack(self._net, dtype)

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [M, H, W, 3] -> [M, C, h, w]."""
        maps: Tensor = self._net(images)
        return maps

    def maps(self, pixels: Tensor) -> Tensor:
        """Normalised pictures, float32 [M, 3, H, W] -> [M, C, h, w]."""
        return self._net.maps(pixels)


def packed(backbone: nn.Module, dtype: torch.dtype, shape: Sequence[int]) -> PackedBackbone | None:
    """`backbone` in `dtype` for `shape`, pictures [M, H, W, 3] at a time; others are right too, only slower.

    None where it is trained, on no CPU, or no ResNet; and where this PyTorch or processor cannot.
    """
    if not (_fixed(backbone, "cpu") and isinstance(backbone, ResNet10 | ResNet18)):
        return None
    return _checked(lambda: PackedBackbone(backbone, dtype), backbone, dtype, shape)


def packed_on_gpu(backbone: nn.Module, dtype: torch.dtype, shape: Sequence[int]) -> Packed | None:
    """`backbone` in `dtype` for pictures [M, H, W, 3] of the size that `shape` has.

    None where it is trained, on no NVIDIA GPU, no ResNet-10 or not to be in bfloat16, where pictures are not square
    with a power of two of pixels, and where this PyTorch, Triton or GPU cannot.
    """
    height, width = shape[-3:-1]
    fits = height == width and 64 <= height <= 256 and height & (height - 1) == 0
    if not (fits and dtype is torch.bfloat16 and _fixed(backbone, "cuda") and isinstance(backbone, ResNet10)):
        return None

    def make() -> Packed:
        from workers.learner.gpu_resnet import GpuResNet10  # not every PyTorch has Triton

        return GpuResNet10(backbone)

    return _checked(make, backbone, dtype, shape)


def _fixed(backbone: nn.Module, kind: str) -> bool:
    return not any(one.requires_grad or one.device.type != kind for one in backbone.parameters())


def _checked(
    make: Callable[[], _P], backbone: nn.Module, dtype: torch.dtype, shape: Sequence[int]
) -> _P | None:
    """What `make` gives, if it agrees with `backbone`: no version promises the operations that are used."""
    noise = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, tuple(shape), dtype=torch.uint8, generator=noise)
    images = images.to(next(backbone.parameters()).device)
    try:
        with torch.inference_mode():
            made = make()
            original = backbone(images)
            error = float((made(images).float() - original).abs().max() / original.abs().max())
    except Exception as reason:
        log.info("the picture encoder runs as it is, slower: %s", reason)
        return None
    if not error <= _FURTHEST[dtype]:
        log.info(
            "the picture encoder runs as it is, slower: laid out for this processor it errs by %.1g", error
        )
        return None
    return made


def _fold(net: nn.Module) -> None:
    """Multiply each batch norm that follows a convolution, with the statistics that it keeps, into its weights."""
    for parent in list(net.modules()):
        for (name, conv), (after, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, after, nn.Identity())


def _pack(net: nn.Module, dtype: torch.dtype) -> None:
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                setattr(parent, name, _PackedConv2d(child, dtype))
