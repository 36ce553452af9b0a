"""A frozen ResNet-10 for NVIDIA GPUs, in bfloat16: between its convolutions each map is read and written once.

On such a GPU the convolutions are a third of the time; the rest goes into what lies between, of which PyTorch's
compiler makes three passes over memory. Here, in Triton, a program takes a group of a picture's channels, which fits
into its registers: mean, variance, normalised, with the skip added, rectified, and padded as the next convolution
asks for. The first convolution is taken over blocks of 4x4 pixels, 48 channels of them, for 2x2 places at once.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

from workers.learner.backbones import ResNet10

GROUPS = 4
EPSILON = 1e-5
STEM = 64
"""Channels of the first convolution."""
BLOCK = 4
"""Pixels of a block's side, as the first convolution and the pooling after it halve a picture twice."""


class GpuResNet10:
    """What a frozen ResNet-10 computes of square pictures, with the weights that it has when this is made.

    Their side is a power of two, 64 at least.
    """

    def __init__(self, backbone: ResNet10) -> None:
        conv, norm = backbone.embedder
        self._pixel_scale = backbone.image_scale.repeat(BLOCK)
        self._pixel_offset = backbone.image_offset.repeat(BLOCK)
        self._stem = _half(_block_weight(conv.weight))
        self._stem_norm = norm.group_norm
        self._stages = list(backbone.encoder.stages)  # type: ignore[arg-type]
        self._weights = {
            conv: _half(conv.weight) for conv in backbone.modules() if isinstance(conv, torch.nn.Conv2d)
        }
        self._padded: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [M, S, S, 3] -> bfloat16 [M, 512, S / 32, S / 32] in channels-last memory."""
        maps = self._pooled(F.conv2d(_nchw(self._blocks(images)), self._stem, padding=1))
        for number, stage in enumerate(self._stages):
            following = self._stages[number + 1 :]
            maps = self._stage(stage, maps, pad=int(bool(following) and following[0].conv1.stride == 2))
        return _nchw(maps)

    def _blocks(self, images: Tensor) -> Tensor:
        """Normalised pixels, bfloat16 [M, S / 4, S / 4, 48]."""
        count, side = images.shape[:2]
        blocks = side // BLOCK
        out = images.new_empty((count, blocks, blocks, 3 * BLOCK * BLOCK), dtype=torch.bfloat16)
        size = triton.next_power_of_2(blocks * 3 * BLOCK * BLOCK)
        _blocks_kernel[count, blocks](images, self._pixel_scale, self._pixel_offset, out, blocks, size)
        return out

    def _pooled(self, maps: Tensor) -> Tensor:
        """The first norm, pooling and ReLU: [M, 4 x 64, B, B], places of a block as channels -> [M, B, B, 64]."""
        count, _, side, _ = maps.shape
        norm, out = self._stem_norm, maps.new_empty((count, side, side, STEM))
        _pool_kernel[(count,)](
            maps, norm.weight, norm.bias, out, side, 64, STEM, GROUPS, EPSILON, num_warps=8
        )
        return out

    def _stage(self, stage: torch.nn.Module, maps: Tensor, pad: int) -> Tensor:
        """[M, h, w, C], padded if the stage is strided, -> [M, h', w', C'] with `pad` rows and columns of zeros."""
        kept = maps
        if stage.shortcut is not None:
            conv, norm = stage.shortcut
            # The padding makes a row and a column too many, which the norm leaves out.
            strided = F.conv2d(_nchw(maps), self._weights[conv.conv], stride=stage.conv1.stride)
            kept = self._normed(strided, norm, cut=1, rectifies=False)
        first, second = stage.conv1, stage.conv2
        same = int(first.stride == 1)
        inner = F.conv2d(_nchw(maps), self._weights[first.conv], stride=first.stride, padding=same)
        inner = self._normed(inner, stage.norm1)
        outer = F.conv2d(_nchw(inner), self._weights[second.conv], padding=1)
        return self._normed(outer, stage.norm2, kept, pad=pad)

    def _normed(
        self,
        maps: Tensor,
        norm: torch.nn.Module,
        skip: Tensor | None = None,
        *,
        cut: int = 0,
        pad: int = 0,
        rectifies: bool = True,
    ) -> Tensor:
        """[M, C, h + cut, w + cut] -> ReLU(norm(maps) + skip), [M, h + pad, w + pad, C], zeros below and right."""
        count, channels, side = maps.shape[0], maps.shape[1], maps.shape[2] - cut
        shape = (count, side + pad, side + pad, channels)
        if pad and shape not in self._padded:
            self._padded[shape] = maps.new_zeros(shape)  # what is padded stays zero: it is written nowhere
        out = self._padded[shape] if pad else maps.new_empty(shape)
        weight, offset = norm.group_norm.weight, norm.group_norm.bias
        elements = side * side * channels // GROUPS
        _norm_kernel[count, GROUPS](
            maps, maps if skip is None else skip, weight, offset, out, side * side, side, channels,
            channels // GROUPS, cut, pad, skip is not None, rectifies, EPSILON, num_warps=_warps(elements),
        )  # fmt: skip
        return out


def _warps(elements: int) -> int:
    """Of 32 threads each, for so many elements of a program."""
    return max(4, min(16, elements // 1024))


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


@triton.jit
def _blocks_kernel(images, scale, offset, out, BLOCKS: tl.constexpr, SIZE: tl.constexpr):
    """A row of blocks of a picture: 12 bytes side by side and four rows make one block."""
    picture, row = tl.program_id(0).to(tl.int64), tl.program_id(1)
    at = tl.arange(0, SIZE)
    inside = at < BLOCKS * 48
    block, pixel = at // 48, at % 48
    source = (picture * BLOCKS * 4 + row * 4 + pixel // 12) * (BLOCKS * 12) + block * 12 + pixel % 12
    value = tl.load(images + source, mask=inside, other=0).to(tl.float32)
    value = value * tl.load(scale + pixel % 12) - tl.load(offset + pixel % 12)
    tl.store(out + (picture * BLOCKS + row) * (BLOCKS * 48) + at, value.to(tl.bfloat16), mask=inside)


@triton.jit
def _pool_kernel(
    maps, scale, offset, out, SIDE: tl.constexpr, PLACES: tl.constexpr, CHANNELS: tl.constexpr, GROUPS: tl.constexpr,
    EPSILON: tl.constexpr,
):  # fmt: skip
    """A picture. Its norm follows pooling: max(a x + b) = |a| max(sign(a) x) + b, and a has the sign of the scale."""
    picture = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, CHANNELS)
    base = maps + picture * (SIDE * SIDE * 4 * CHANNELS)
    target = out + picture * (SIDE * SIDE * CHANNELS)
    factor = tl.load(scale + channel)
    sign = tl.where(factor < 0, -1.0, 1.0)
    tile = tl.arange(0, PLACES)
    total = tl.zeros([PLACES, CHANNELS], tl.float32)
    squares = tl.zeros([PLACES, CHANNELS], tl.float32)
    for start in range(0, SIDE * SIDE, PLACES):
        block = start + tile
        has_below, has_right = block // SIDE < SIDE - 1, block % SIDE < SIDE - 1
        largest = tl.full([PLACES, CHANNELS], float("-inf"), tl.float32)
        for dy in tl.static_range(3):
            for dx in tl.static_range(3):
                inside = (has_below | (dy < 2)) & (has_right | (dx < 2))
                part = (dy % 2) * 2 + dx % 2
                there = block + (dy // 2) * SIDE + dx // 2
                at = there[:, None] * (4 * CHANNELS) + part * CHANNELS + channel[None, :]
                values = tl.load(base + at, mask=inside[:, None], other=0.0).to(tl.float32)
                if dy < 2 and dx < 2:
                    total += values
                    squares += values * values
                largest = tl.maximum(
                    largest, tl.where(inside[:, None], values * sign[None, :], float("-inf"))
                )
        tl.store(target + block[:, None] * CHANNELS + channel[None, :], largest.to(tl.bfloat16))
    count = SIDE * SIDE * 4 * (CHANNELS // GROUPS)
    mean = _over_groups(tl.sum(total, 0), CHANNELS, GROUPS) / count
    variance = _over_groups(tl.sum(squares, 0), CHANNELS, GROUPS) / count - mean * mean
    by = factor * tl.rsqrt(variance + EPSILON)
    plus = tl.load(offset + channel) - mean * by
    tl.debug_barrier()  # what one thread stored another loads
    for start in range(0, SIDE * SIDE, PLACES):
        at = target + (start + tile)[:, None] * CHANNELS + channel[None, :]
        pooled = tl.load(at).to(tl.float32) * (by * sign)[None, :] + plus[None, :]
        tl.store(at, tl.maximum(pooled, 0.0).to(tl.bfloat16))


@triton.jit
def _over_groups(sums, CHANNELS: tl.constexpr, GROUPS: tl.constexpr):
    """Of [CHANNELS] the sum over each channel's group, [CHANNELS]."""
    grouped = tl.sum(tl.reshape(sums, (GROUPS, CHANNELS // GROUPS)), 1)
    return tl.reshape(tl.broadcast_to(grouped[:, None], (GROUPS, CHANNELS // GROUPS)), (CHANNELS,))


@triton.jit
def _norm_kernel(
    maps, skip, scale, offset, out, PLACES: tl.constexpr, SIDE: tl.constexpr, CHANNELS: tl.constexpr,
    GROUP: tl.constexpr, CUT: tl.constexpr, PAD: tl.constexpr, HAS_SKIP: tl.constexpr, RECTIFIES: tl.constexpr,
    EPSILON: tl.constexpr,
):  # fmt: skip
    """A group of a picture's channels."""
    picture = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * GROUP + tl.arange(0, GROUP)
    place = tl.arange(0, PLACES)
    row, column = place // SIDE, place % SIDE
    source = picture * ((SIDE + CUT) * (SIDE + CUT)) + row * (SIDE + CUT) + column
    values = tl.load(maps + source[:, None] * CHANNELS + channel[None, :]).to(tl.float32)
    mean = tl.sum(tl.sum(values, 1), 0) / (PLACES * GROUP)
    values -= mean
    variance = tl.sum(tl.sum(values * values, 1), 0) / (PLACES * GROUP)
    values *= tl.rsqrt(variance + EPSILON) * tl.load(scale + channel)[None, :]
    values += tl.load(offset + channel)[None, :]
    if HAS_SKIP:
        kept = picture * PLACES + place
        values += tl.load(skip + kept[:, None] * CHANNELS + channel[None, :]).to(tl.float32)
    if RECTIFIES:
        values = tl.maximum(values, 0.0)
    target = picture * ((SIDE + PAD) * (SIDE + PAD)) + row * (SIDE + PAD) + column
    tl.store(out + target[:, None] * CHANNELS + channel[None, :], values.to(tl.bfloat16))
