"""A frozen ResNet-10 for NVIDIA GPUs, in bfloat16: one pass between two of its convolutions.

On such a GPU the convolutions are a third of the time; the rest goes into what lies between, of which PyTorch's
compiler makes three passes over memory. Here, in Triton, a program takes a group of a picture's channels, which fits
into its registers: mean, variance, normalised, with the skip added, rectified, and padded as the next convolution
asks for. Larger maps it reads twice, all channels side by side. The first convolution is taken over blocks of 4x4
pixels, 48 channels of them, for 2x2 places at once.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.learner.backbones import ResNet10
from workers.learner.gpu_kernels import blocks_kernel, norm_kernel, pool_kernel, wide_norm_kernel

STEM = 64
"""Channels of the first convolution."""
GROUP_ELEMENTS = 1 << 13
"""A group with more elements than these is not held in a program's registers ..."""
TILE = 1 << 13
"""... which read a picture's maps in tiles of so many elements, twice."""
BLOCK = 4
"""Pixels of a block's side, as the first convolution and the pooling after it halve a picture twice."""


class GpuResNet10:
    """What a frozen ResNet-10 computes of square pictures, with the convolutions that it has when this is made.

    Their side is a power of two, 64 at least.
    """

    def __init__(self, backbone: ResNet10) -> None:
        net: Any = backbone  # its parts are found by their published names, which no type tells
        conv, norm = net.embedder
        self._pixel_scale = net.image_scale.repeat(BLOCK)
        self._pixel_offset = net.image_offset.repeat(BLOCK)
        self._stem_norm = norm.group_norm
        negative = self._stem_norm.weight.detach() < 0
        self._stem_sign = 1 - 2 * negative.float()
        self._stem = _half(_block_weight(conv.weight * self._stem_sign[:, None, None, None]))
        self._stages = list(net.encoder.stages)
        self._weights = {
            one: _half(one.weight) for one in net.encoder.modules() if isinstance(one, nn.Conv2d)
        }

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [M, S, S, 3] -> bfloat16 [M, 512, S / 32, S / 32] in channels-last memory."""
        # Triton takes the current GPU, whatever the tensors are on.
        with torch.cuda.device_of(images):  # type: ignore[no-untyped-call]
            return _nchw(self._maps(images))

    def _maps(self, images: Tensor) -> Tensor:
        maps = self._pooled(F.conv2d(_nchw(self._blocks(images)), self._stem, padding=1))
        for number, stage in enumerate(self._stages):
            following = self._stages[number + 1 :]
            maps = self._stage(stage, maps, pad=int(bool(following) and following[0].conv1.stride == 2))
        return maps

    def _blocks(self, images: Tensor) -> Tensor:
        """Normalised pixels, bfloat16 [M, S / 4, S / 4, 48]."""
        count, side = images.shape[:2]
        blocks = side // BLOCK
        out = images.new_empty((count, blocks, blocks, 3 * BLOCK * BLOCK), dtype=torch.bfloat16)
        blocks_kernel[count, blocks](images, self._pixel_scale, self._pixel_offset, out, blocks)
        return out

    def _pooled(self, maps: Tensor) -> Tensor:
        """The first norm, pooling and ReLU: [M, 4 x 64, B, B], places of a block as channels -> [M, B, B, 64]."""
        count, _, side, _ = maps.shape
        norm, out = self._stem_norm, maps.new_empty((count, side, side, STEM))
        pool_kernel[(count,)](
            maps, self._stem_sign, norm.weight, norm.bias, out, side, 64, STEM, norm.num_groups, norm.eps, num_warps=16
        )  # fmt: skip
        return out

    def _stage(self, stage: Any, maps: Tensor, pad: int) -> Tensor:
        """[M, h, w, C], padded if the stage is strided, -> [M, h', w', C'] with `pad` rows and columns of zeros."""
        first, second, same = stage.conv1, stage.conv2, int(stage.conv1.stride == 1)
        inner = F.conv2d(_nchw(maps), self._weights[first.conv], stride=first.stride, padding=same)
        outer = F.conv2d(_nchw(_normed(inner, stage.norm1)), self._weights[second.conv], padding=1)
        if stage.shortcut is None:
            return _normed(outer, stage.norm2, maps, pad=pad)
        conv, norm = stage.shortcut
        # The padding makes a row and a column too many, which the norm leaves out.
        strided = F.conv2d(_nchw(maps), self._weights[conv.conv], stride=first.stride)
        return _normed(outer, stage.norm2, strided, norm, pad=pad)


def _normed(
    maps: Tensor, norm: Any, skip: Tensor | None = None, skip_norm: Any = None, *, pad: int = 0
) -> Tensor:
    """[M, C, h, w] -> ReLU(norm(maps) + skip_norm(skip)), [M, h + pad, w + pad, C], zeros below and right."""
    count, channels, side, _ = maps.shape
    of, of_skip = norm.group_norm, (skip_norm or norm).group_norm
    elements = side * side * channels // of.num_groups
    out = maps.new_empty((count, side + pad, side + pad, channels))
    kind = "none" if skip is None else "plain" if skip_norm is None else "norm"
    given = (
        maps,
        of.weight,
        of.bias,
        maps if skip is None else skip,
        of_skip.weight,
        of_skip.bias,
        out,
        side,
    )
    form = (channels, of.num_groups, pad, kind, of.eps)
    if elements > GROUP_ELEMENTS:
        wide_norm_kernel[(count,)](*given, TILE // channels, *form, num_warps=16)
    else:
        norm_kernel[count, of.num_groups](*given, *form, num_warps=max(4, min(16, elements // 1024)))
    return out


def _nchw(maps: Tensor) -> Tensor:
    return maps.permute(0, 3, 1, 2)


def _half(weight: Tensor) -> Tensor:
    return weight.detach().to(torch.bfloat16, memory_format=torch.channels_last)


def _block_weight(weight: Tensor) -> Tensor:
    """[64, 3, 7, 7] of stride 2 and padding 3 -> [4 x 64, 48, 3, 3] of stride 1 and padding 1 over blocks.

    Place (dy, dx) of block (Y, X) is out[2 Y + dy, 2 X + dx] = sum_ij w[i, j] in[4 Y + 2 dy - 3 + i, ...], and row
    4 (Y + a) + p of the input has i = 4 a + p - 2 dy + 3.
    """
    out = weight.new_zeros((2, 2, *weight.shape[:1], BLOCK, BLOCK, weight.shape[1], 3, 3))
    taps = [
        (d, p, a + 1, 4 * a + p - 2 * d + 3)
        for d in range(2)
        for a in (-1, 0, 1)
        for p in range(BLOCK)
        if 0 <= 4 * a + p - 2 * d + 3 < weight.shape[2]
    ]
    for dy, py, ay, i in taps:
        for dx, px, ax, j in taps:
            out[dy, dx, :, py, px, :, ay, ax] = weight.detach()[:, :, i, j]
    return out.flatten(3, 5).flatten(0, 2)
