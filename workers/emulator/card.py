"""What an emulated camera shows: a test card with moving shapes, and a time stamp that a program can read back."""

import time
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
View = Literal["front", "wrist"]
STAMP_BITS: Final = 48
STAMP_ROWS: Final = 16
_GROUND: Final = {"front": (70, 90, 110), "wrist": (105, 90, 70)}
_BARS: Final = ((235, 235, 235), (220, 210, 40), (40, 200, 210), (50, 180, 70), (190, 60, 180), (200, 50, 50))


def draw(view: View, height: int, width: int, at_s: float) -> Picture:
    """RGB uint8 [H, W, 3] of the moment `at_s`: bars, a cube that circles (`front`) or jaws that open (`wrist`)."""
    card = np.empty((height, width, 3), np.uint8)
    card[:] = _GROUND[view]
    card[: height // 6] = np.repeat(np.array(_BARS, np.uint8), -(-width // len(_BARS)), axis=0)[:width]
    side = max(4, height // 8)
    if view == "front":
        x, y = 0.5 + 0.35 * np.cos(at_s), 0.58 + 0.25 * np.sin(at_s)
        _fill(card, x * width, y * height, side, side, (210, 40, 35))
    else:
        gap = side * (1.2 + np.sin(at_s))
        for way in (-1, 1):
            _fill(card, width / 2 + way * gap, height * 0.62, side / 2, side * 2.5, (30, 30, 35))
        _fill(card, width / 2, height * 0.6, side / 2, side / 2, (210, 40, 35))
    sweep = int(at_s * 0.5 * width) % width  # no two pictures are alike
    card[height // 6 : height // 6 + 3, : sweep + 1] = (255, 255, 255)
    return card


def stamp(card: Picture, at_us: int | None = None) -> None:
    """Write the monotonic time in microseconds, 48 bits, as black and white cells into the last rows."""
    moment = time.monotonic_ns() // 1000 if at_us is None else at_us
    width = card.shape[1] // STAMP_BITS
    bits = (moment >> np.arange(STAMP_BITS)) & 1
    row = np.repeat(np.where(bits == 1, 255, 0).astype(np.uint8), width)
    card[-STAMP_ROWS:, : row.size] = row[None, :, None]


def read_stamp(card: Picture) -> int:
    """The time that `stamp` wrote, in microseconds; also through JPEG."""
    width = card.shape[1] // STAMP_BITS
    strip = card[-STAMP_ROWS + 4 : -4, : STAMP_BITS * width].mean(axis=(0, 2)).reshape(STAMP_BITS, width)
    bits = strip[:, width // 4 : max(width // 4 + 1, width - width // 4)].mean(axis=1) > 127
    return int(sum(1 << place for place in range(STAMP_BITS) if bits[place]))


def _fill(
    card: Picture, x: float, y: float, half_wide: float, half_high: float, colour: tuple[int, int, int]
) -> None:
    top, left = max(0, int(y - half_high)), max(0, int(x - half_wide))
    card[top : max(0, int(y + half_high)), left : max(0, int(x + half_wide))] = colour
