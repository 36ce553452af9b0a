"""DrQ random shift (Kostrikov et al. 2020), done while a frame is copied out of replay.

Padding by edge replication and cropping at a random place equals reading with clamped coordinates, so
no padded copy is ever made. The cameras of one observation share a shift; an observation and its next
observation draw their own, as in DrQ.
"""

import numpy as np
from numpy.typing import NDArray


def draw_shifts(count: int, pad: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` pairs of (down, right) shifts, int64 [count, 2], uniform in [-pad, pad] pixels."""
    return rng.integers(-pad, pad, size=(count, 2), endpoint=True)


def shift_into(out: NDArray[np.uint8], source: NDArray[np.uint8], down: int, right: int) -> None:
    """out[c, y, x] = source[c, clamp(y + down), clamp(x + right)]; both uint8 [C, H, W, 3]."""
    height, width = source.shape[1:3]
    top, bottom = max(0, -down), height - max(0, down)
    left, end = max(0, -right), width - max(0, right)
    out[:, top:bottom, left:end] = source[:, top + down : bottom + down, left + right : end + right]
    if left:
        out[:, top:bottom, :left] = out[:, top:bottom, left : left + 1]
    if end < width:
        out[:, top:bottom, end:] = out[:, top:bottom, end - 1 : end]
    if top:
        out[:, :top] = out[:, top : top + 1]
    if bottom < height:
        out[:, bottom:] = out[:, bottom - 1 : bottom]
