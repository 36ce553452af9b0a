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
def blocks_kernel(images, scale, offset, out, BLOCKS: tl.constexpr):
    """A row of blocks of a picture: four pixels, 12 bytes side by side, and four rows make one block."""
    picture, row = tl.program_id(0).to(tl.int64), tl.program_id(1)
    part, byte = tl.arange(0, 4 * BLOCKS), tl.arange(0, 16)  # four bytes at a time, which 12 are three of
    inside = byte < 12
    source = (picture * BLOCKS * 4 + row * 4 + part % 4) * (BLOCKS * 12) + part // 4 * 12
    value = tl.load(images + source[:, None] + byte[None, :], mask=inside[None, :], other=0).to(tl.float32)
    factor, less = (
        tl.load(scale + byte, mask=inside, other=0.0),
        tl.load(offset + byte, mask=inside, other=0.0),
    )
    value = value * factor[None, :] - less[None, :]
    target = (picture * BLOCKS + row) * (BLOCKS * 48) + part * 12
    tl.store(out + target[:, None] + byte[None, :], value.to(tl.bfloat16), mask=inside[None, :])


@triton.jit
def pool_kernel(
    maps, sign, scale, offset, out, SIDE: tl.constexpr, PLACES: tl.constexpr, CHANNELS: tl.constexpr,
    GROUPS: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """A picture, `PLACES` at a time. Its norm follows pooling: a channel whose scale is negative comes negated."""
    picture = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, CHANNELS)
    base = maps + picture * (SIDE * SIDE * 4 * CHANNELS)
    target = out + picture * (SIDE * SIDE * CHANNELS)
    tile = tl.arange(0, PLACES)
    total = tl.zeros([PLACES, CHANNELS], tl.float32)
    squares = tl.zeros([PLACES, CHANNELS], tl.float32)
    for start in range(0, SIDE * SIDE, PLACES):
        block = start + tile
        has_below, has_right = block // SIDE < SIDE - 1, block % SIDE < SIDE - 1
        largest = tl.load(base + block[:, None] * (4 * CHANNELS) + channel[None, :])
        for dy in tl.static_range(3):
            for dx in tl.static_range(3):
                inside = (has_below | (dy < 2)) & (has_right | (dx < 2))
                part = (dy % 2) * 2 + dx % 2
                there = block + (dy // 2) * SIDE + dx // 2
                at = there[:, None] * (4 * CHANNELS) + part * CHANNELS + channel[None, :]
                values = tl.load(base + at, mask=inside[:, None], other=float("-inf"))
                largest = tl.maximum(largest, values)
                if dy < 2 and dx < 2:
                    whole = values.to(tl.float32)
                    total += whole
                    squares += whole * whole
        tl.store(target + block[:, None] * CHANNELS + channel[None, :], largest)
    signs = tl.load(sign + channel)
    factor, plus = _factors(
        tl.sum(total, 0) * signs, tl.sum(squares, 0), scale + channel, offset + channel, CHANNELS, GROUPS,
        SIDE * SIDE * 4 * (CHANNELS // GROUPS), EPSILON,
    )  # fmt: skip
    tl.debug_barrier()  # what one thread stored another loads
    for start in range(0, SIDE * SIDE, PLACES):
        at = target + (start + tile)[:, None] * CHANNELS + channel[None, :]
        pooled = tl.load(at).to(tl.float32) * (factor * signs)[None, :] + plus[None, :]
        tl.store(at, tl.maximum(pooled, 0.0).to(tl.bfloat16))


@triton.jit
def _factors(
    total, squares, scale, offset, CHANNELS: tl.constexpr, GROUPS: tl.constexpr, COUNT: tl.constexpr,
    EPSILON: tl.constexpr,
):  # fmt: skip
    """What norm(x) = factor x + plus is for each channel, from sums over its places; a group has `COUNT` elements."""
    mean = _over_groups(total, CHANNELS, GROUPS) / COUNT
    variance = _over_groups(squares, CHANNELS, GROUPS) / COUNT - mean * mean
    factor = tl.load(scale) * tl.rsqrt(variance + EPSILON)
    return factor, tl.load(offset) - mean * factor


@triton.jit
def _over_groups(sums, CHANNELS: tl.constexpr, GROUPS: tl.constexpr):
    """Of [CHANNELS] the sum over each channel's group, [CHANNELS]."""
    grouped = tl.sum(tl.reshape(sums, (GROUPS, CHANNELS // GROUPS)), 1)
    return tl.reshape(tl.broadcast_to(grouped[:, None], (GROUPS, CHANNELS // GROUPS)), (CHANNELS,))


@triton.jit
def wide_norm_kernel(
    maps, scale, offset, skip, skip_scale, skip_offset, out, SIDE: tl.constexpr, PLACES: tl.constexpr,
    CHANNELS: tl.constexpr, GROUPS: tl.constexpr, PAD: tl.constexpr, SKIP: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """As `norm_kernel`, for maps that no program's registers hold: a picture, `PLACES` at a time, read twice."""
    picture = tl.program_id(0).to(tl.int64)
    channel, tile = tl.arange(0, CHANNELS), tl.arange(0, PLACES)
    total, squares = tl.zeros([PLACES, CHANNELS], tl.float32), tl.zeros([PLACES, CHANNELS], tl.float32)
    skip_total, skip_squares = total, squares
    for start in range(0, SIDE * SIDE, PLACES):
        values = _load(maps, picture, start + tile, channel, SIDE, 0, CHANNELS)
        total += values
        squares += values * values
        if SKIP == "norm":
            kept = _load(skip, picture, start + tile, channel, SIDE, 1, CHANNELS)
            skip_total += kept
            skip_squares += kept * kept
    count: tl.constexpr = SIDE * SIDE * (CHANNELS // GROUPS)
    factor, plus = _factors(
        tl.sum(total, 0),
        tl.sum(squares, 0),
        scale + channel,
        offset + channel,
        CHANNELS,
        GROUPS,
        count,
        EPSILON,
    )
    skip_factor, skip_plus = _factors(
        tl.sum(skip_total, 0), tl.sum(skip_squares, 0), skip_scale + channel, skip_offset + channel, CHANNELS, GROUPS,
        count, EPSILON,
    )  # fmt: skip
    for start in range(0, SIDE * SIDE, PLACES):
        values = (
            _load(maps, picture, start + tile, channel, SIDE, 0, CHANNELS) * factor[None, :] + plus[None, :]
        )
        if SKIP == "plain":
            values += _load(skip, picture, start + tile, channel, SIDE, 0, CHANNELS)
        if SKIP == "norm":
            kept = _load(skip, picture, start + tile, channel, SIDE, 1, CHANNELS)
            values += kept * skip_factor[None, :] + skip_plus[None, :]
        _store(out, tl.maximum(values, 0.0), picture, start + tile, channel, SIDE, PAD, CHANNELS)
    if PAD:
        _clear_padding(out, picture, channel, SIDE, CHANNELS)


@triton.jit
def norm_kernel(
    maps, scale, offset, skip, skip_scale, skip_offset, out, SIDE: tl.constexpr, CHANNELS: tl.constexpr,
    GROUPS: tl.constexpr, PAD: tl.constexpr, SKIP: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """A group of a picture's channels: ReLU(norm(maps) + skip).

    `SKIP` is "none", "plain", or "norm": a norm of its own is due, and it has a row and a column too many.
    """
    picture = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * (CHANNELS // GROUPS) + tl.arange(0, CHANNELS // GROUPS)
    place = tl.arange(0, SIDE * SIDE)
    count: tl.constexpr = SIDE * SIDE * (CHANNELS // GROUPS)
    values = _load(maps, picture, place, channel, SIDE, 0, CHANNELS)
    values = _normed(values, scale + channel, offset + channel, count, EPSILON)
    if SKIP == "plain":
        values += _load(skip, picture, place, channel, SIDE, 0, CHANNELS)
    if SKIP == "norm":
        kept = _load(skip, picture, place, channel, SIDE, 1, CHANNELS)
        values += _normed(kept, skip_scale + channel, skip_offset + channel, count, EPSILON)
    _store(out, tl.maximum(values, 0.0), picture, place, channel, SIDE, PAD, CHANNELS)
    if PAD:
        _clear_padding(out, picture, channel, SIDE, CHANNELS)


@triton.jit
def _load(maps, picture, place, channel, SIDE: tl.constexpr, EXTRA: tl.constexpr, CHANNELS: tl.constexpr):
    """float32 [places, channels] of maps with `EXTRA` rows and columns beyond `SIDE`."""
    at = _places(picture, place, SIDE, EXTRA)
    return tl.load(maps + at[:, None] * CHANNELS + channel[None, :]).to(tl.float32)


@triton.jit
def _store(
    maps, values, picture, place, channel, SIDE: tl.constexpr, EXTRA: tl.constexpr, CHANNELS: tl.constexpr
):
    at = _places(picture, place, SIDE, EXTRA)
    tl.store(maps + at[:, None] * CHANNELS + channel[None, :], values.to(tl.bfloat16))


@triton.jit
def _clear_padding(maps, picture, channel, SIDE: tl.constexpr, CHANNELS: tl.constexpr):
    """Zeros in the last row and the last column of a picture's maps with one of each beyond `SIDE`."""
    wide: tl.constexpr = SIDE + 1
    edge = tl.arange(0, 4 * SIDE)
    at = picture * (wide * wide) + tl.where(edge < wide, SIDE * wide + edge, (edge - wide) * wide + SIDE)
    there = maps + at[:, None] * CHANNELS + channel[None, :]
    tl.store(there, tl.zeros([4 * SIDE, channel.shape[0]], tl.bfloat16), mask=(edge < 2 * SIDE + 1)[:, None])


@triton.jit
def _places(picture, place, SIDE: tl.constexpr, EXTRA: tl.constexpr):
    """Where places of a picture are in maps with `EXTRA` rows and columns."""
    if EXTRA == 0:
        return picture * (SIDE * SIDE) + place
    wide: tl.constexpr = SIDE + EXTRA
    return picture * (wide * wide) + place // SIDE * wide + place % SIDE


@triton.jit
def _normed(values, scale, offset, COUNT: tl.constexpr, EPSILON: tl.constexpr):
    """The norm of one group's `COUNT` elements."""
    values -= tl.sum(tl.sum(values, 1), 0) / COUNT
    variance = tl.sum(tl.sum(values * values, 1), 0) / COUNT
    return values * (tl.rsqrt(variance + EPSILON) * tl.load(scale))[None, :] + tl.load(offset)[None, :]
