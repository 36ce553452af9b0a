"""Kernels for NVIDIA GPUs, in Triton; who calls them are `gpu_pictures.py` and `gpu_resnet.py`.

Capitals are known when a kernel is compiled. Maps are in channels-last memory, [M, h, w, C].
"""

import triton
import triton.language as tl


@triton.jit
def shift_kernel(
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


@triton.jit
def blocks_kernel(images, scale, offset, out, BLOCKS: tl.constexpr, SIZE: tl.constexpr):
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
def pool_kernel(
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
def norm_kernel(
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
