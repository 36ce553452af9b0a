"""Strided convolutions of pictures as convolutions of stride 1 over blocks of pixels: the same sums, for a GPU.

A GPU's matrix units take many channels at a time, and a picture has three: its first convolution, a twentieth of a
ResNet's arithmetic, then takes a third of its time. Blocks of stride x stride pixels side by side are 12 channels or
48, with a kernel as many times smaller ("space to depth").
"""

from torch import Tensor
from torch.nn import functional as F

ALIGNED = 16
"""Channels are filled up with zeros to a multiple of this, which matrix units ask for."""


def picture_conv2d(
    pixels: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int = 0
) -> Tensor:
    """As `F.conv2d` of pictures [M, C, H, W] in channels-last memory, in the way that is fastest where they are."""
    if pixels.is_cuda:
        return block_conv2d(pixels, weight, bias, stride, padding)
    return F.conv2d(pixels, weight, bias, stride, padding)


def block_conv2d(
    pixels: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int = 0
) -> Tensor:
    """As `F.conv2d`, [M, C, H, W] and [out, C, k, k] -> [M, out, h, w].

    out[y, x] = sum_ij w[i, j] in[s y + i, s x + j], and with i = s a + p, j = s b + q that is a sum over a and b of
    blocks [y + a, x + b] with the places (p, q) as channels.
    """
    taps = -(-weight.shape[2] // stride)
    blocks = _blocks(
        pixels,
        stride,
        [_length(size, weight.shape[2], stride, padding, taps) for size in pixels.shape[2:]],
        padding,
    )
    return F.conv2d(blocks, _block_weight(weight, stride, taps), bias)


def _length(size: int, kernel: int, stride: int, padding: int, taps: int) -> int:
    """Pixels that the blocks of one direction cover."""
    places = (size + 2 * padding - kernel) // stride + 1
    return (places - 1 + taps) * stride


def _blocks(pixels: Tensor, stride: int, lengths: list[int], padding: int) -> Tensor:
    """[M, C, H, W] -> [M, ALIGNED n, lengths / stride] in channels-last memory."""
    count, channels, height, width = pixels.shape
    down, across = lengths
    # A negative number cuts off: no kernel reaches the last pixels.
    whole = F.pad(pixels, (padding, across - width - padding, padding, down - height - padding))
    split = whole.reshape(count, channels, down // stride, stride, across // stride, stride)
    by_place = split.permute(0, 2, 4, 3, 5, 1).flatten(3)
    return F.pad(by_place, (0, -by_place.shape[3] % ALIGNED)).permute(0, 3, 1, 2)


def _block_weight(weight: Tensor, stride: int, taps: int) -> Tensor:
    """[out, C, k, k] -> [out, ALIGNED n, taps, taps] in channels-last memory."""
    out, channels, kernel, _ = weight.shape
    fill = taps * stride - kernel
    split = F.pad(weight, (0, fill, 0, fill)).reshape(out, channels, taps, stride, taps, stride)
    by_place = split.permute(0, 2, 4, 3, 5, 1).flatten(3)
    return F.pad(by_place, (0, -by_place.shape[3] % ALIGNED)).permute(0, 3, 1, 2)
