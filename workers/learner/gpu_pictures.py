"""Pictures of a batch out of replay on an NVIDIA GPU, each shifted on the way, in one pass over memory."""

import triton
import triton.language as tl
from torch import Tensor

ROWS = 8
"""Rows of a picture for one program."""


def shift_into(out: Tensor, images: Tensor, numbers: Tensor) -> None:
    """out[b, c, y, x] = images[slot_b, c, clamp(y + down_b), clamp(x + right_b)].

    uint8 [B, cameras, H, W, 3] from [slots, cameras, H, W, 3]; `numbers`, int64 [3, B], are slots, down and right.
    """
    count, cameras, height, width, channels = out.shape
    parts = triton.cdiv(height, ROWS)
    size = triton.next_power_of_2(width * channels)
    _shift_kernel[count, cameras * parts](
        images, numbers, out, count, cameras, height, width, parts, ROWS, size
    )


@triton.jit
def _shift_kernel(
    images, numbers, out, count, CAMERAS: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, PARTS: tl.constexpr,
    ROWS: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    picture = tl.program_id(0).to(tl.int64)
    camera, part = tl.program_id(1) // PARTS, tl.program_id(1) % PARTS
    slot = tl.load(numbers + picture)
    down = tl.load(numbers + count + picture).to(tl.int32)
    right = tl.load(numbers + 2 * count + picture).to(tl.int32)
    row, byte = part * ROWS + tl.arange(0, ROWS), tl.arange(0, SIZE)
    inside = (row < HEIGHT)[:, None] & (byte < 3 * WIDTH)[None, :]
    from_row = tl.minimum(tl.maximum(row + down, 0), HEIGHT - 1)
    from_byte = tl.minimum(tl.maximum(byte // 3 + right, 0), WIDTH - 1) * 3 + byte % 3
    source = images + (slot * CAMERAS + camera) * (HEIGHT * WIDTH * 3)
    values = tl.load(source + from_row[:, None] * (3 * WIDTH) + from_byte[None, :], mask=inside)
    target = out + (picture * CAMERAS + camera) * (HEIGHT * WIDTH * 3)
    tl.store(target + row[:, None] * (3 * WIDTH) + byte[None, :], values, mask=inside)
