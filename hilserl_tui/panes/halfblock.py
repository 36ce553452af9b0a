"""Half blocks: a picture as text, two pixels a cell.

Five bits a channel and a tolerance of 8 keep sensor noise from repainting the screen: measured 3 kB a frame
off-line against 65 kB for every cell in full colour.
"""

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

TOLERANCE = 8  # of 255, per channel: a smaller change is not repainted

Pixel = tuple[int, int, int]
Cell = tuple[Pixel, Pixel]  # upper, lower


def fit_inside(width: int, height: int, cells_wide: int, cells_high: int) -> tuple[int, int]:
    """Largest (cells wide, cells high) with the picture's aspect; a cell is one pixel wide, two high."""
    if min(width, height, cells_wide, cells_high) < 1:
        return 0, 0
    scale = min(cells_wide / width, cells_high * 2 / height)
    return max(1, min(cells_wide, int(width * scale))), max(1, min(cells_high, int(height * scale / 2 + 0.5)))


def cells(rgb: bytes, width: int, height: int, wide: int, high: int, light: float = 1.0) -> list[list[Cell]]:
    """`rgb` (height x width x 3 bytes) sampled to `wide` x `high` cells; `light` < 1 dims."""
    xs = [3 * min(width - 1, x * width // wide) for x in range(wide)]
    scaled = [min(255, int(value * light)) for value in range(256)]

    def line(y: int) -> list[Pixel]:
        start = min(height - 1, y * height // (2 * high)) * width * 3
        return [(scaled[rgb[i]], scaled[rgb[i + 1]], scaled[rgb[i + 2]]) for i in (start + x for x in xs)]

    return [list(zip(line(2 * y), line(2 * y + 1), strict=True)) for y in range(high)]


def settle(
    old: list[list[Cell]], new: list[list[Cell]]
) -> tuple[list[list[Cell]], dict[int, tuple[int, int]]]:
    """The cells to show and the changed span (first, end) of each row that needs painting."""
    if len(old) != len(new) or (new and len(old[0]) != len(new[0])):
        return new, {y: (0, len(row)) for y, row in enumerate(new)}
    shown: list[list[Cell]] = []
    spans: dict[int, tuple[int, int]] = {}
    for y, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            shown.append(before)
            continue
        line = list(before)
        touched = [x for x, pair in enumerate(zip(before, after, strict=True)) if _differ(*pair)]
        for x in touched:
            line[x] = after[x]
        shown.append(line)
        if touched:
            spans[y] = (touched[0], touched[-1] + 1)
    return shown, spans


def _differ(a: Cell, b: Cell) -> bool:
    return a != b and any(
        abs(p - q) > TOLERANCE
        for pixel, other in zip(a, b, strict=True)
        for p, q in zip(pixel, other, strict=True)
    )


def segments(row: list[Cell]) -> list[Segment]:
    """A row of cells as segments; neighbours of the same colours share one."""
    out: list[Segment] = []
    run = 0
    last: tuple[int, int] | None = None
    for upper, lower in row:
        pair = (_five_bit(upper), _five_bit(lower))
        if pair == last:
            run += 1
            continue
        if last is not None:
            out.append(Segment("▀" * run, _style(*last)))
        last, run = pair, 1
    if last is not None:
        out.append(Segment("▀" * run, _style(*last)))
    return out


def _five_bit(pixel: Pixel) -> int:
    r, g, b = pixel
    return (r >> 3) << 10 | (g >> 3) << 5 | b >> 3


@lru_cache(maxsize=4096)  # of a camera that moves all are used, a kilobyte each
def _style(upper: int, lower: int) -> Style:
    return Style(color=_colour(upper), bgcolor=_colour(lower))


def _colour(bits: int) -> Color:
    r, g, b = (bits >> 10 & 31), (bits >> 5 & 31), (bits & 31)
    return Color.from_rgb(r << 3 | r >> 2, g << 3 | g >> 2, b << 3 | b >> 2)
