"""Plots of an evaluation as inline SVG: success with its interval, the difference, cycle times. Pure text."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDE, LEFT, RIGHT, ROW, AXIS = 740, 230, 30, 34, 30  # user units
LABEL = 30  # characters that fit beside a plot
TEXT = 'font-size="13" fill="#3c454e"'
COLOURS = ("#0072b2", "#d55e00")  # Okabe and Ito: A, B
BAD = "#8a8f96"


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its interval."""

    label: str
    value: float
    low: float
    high: float
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One trial of a row of times."""

    seconds: float
    good: bool
    told: str
    """What is said when a mouse rests on it."""


def intervals(bars: Sequence[Bar], low: float, high: float, ticks: Sequence[tuple[float, str]]) -> str:
    """Each value as a dot on the line of its interval, on an axis from `low` to `high`."""
    height = ROW * len(bars) + AXIS
    parts = _axis(low, high, ticks, height)
    for row, bar in enumerate(bars):
        y = row * ROW + ROW // 2
        x0, x, x1 = (_place(value, low, high) for value in (bar.low, bar.value, bar.high))
        parts += [
            _label(bar.label, y),
            f'<line x1="{x0:.1f}" y1="{y}" x2="{x1:.1f}" y2="{y}" stroke="{bar.colour}" stroke-width="7" '
            'stroke-opacity="0.45"/>',
            f'<circle cx="{x:.1f}" cy="{y}" r="6" fill="{bar.colour}"/>',
        ]
    return _svg(parts, height, "value and 95 % interval")


def times(rows: Sequence[tuple[str, str, Sequence[Dot]]], longest_s: float) -> str:
    """Seconds of every trial, a row a policy (label, colour, dots): full where it succeeded, hollow where not."""
    step = _round_step(longest_s / 6)
    ticks = [(step * n, f"{step * n:g} s") for n in range(int(longest_s / step) + 1)]
    height = ROW * len(rows) + AXIS
    parts = _axis(0.0, longest_s, ticks, height)
    for row, (label, colour, dots) in enumerate(rows):
        middle = row * ROW + ROW // 2
        parts.append(_label(label, middle))
        for number, dot in enumerate(dots):
            y = middle + (-7, 0, 7)[number % 3]  # side by side where times are alike
            x = _place(min(dot.seconds, longest_s), 0.0, longest_s)
            look = f'fill="{colour}"' if dot.good else f'fill="none" stroke="{BAD}" stroke-width="1.5"'
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y}" r="4" {look}><title>{escape(dot.told)}</title></circle>'
            )
    return _svg(parts, height, "seconds of each trial")


def _place(value: float, low: float, high: float) -> float:
    return LEFT + (WIDE - LEFT - RIGHT) * (value - low) / (high - low)


def _axis(low: float, high: float, ticks: Sequence[tuple[float, str]], height: int) -> list[str]:
    parts = []
    for value, text in ticks:
        x = _place(value, low, high)
        parts.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height - AXIS + 4}" stroke="#e2e6ea"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" {TEXT}>{escape(text)}</text>')
    return parts


def _label(text: str, y: int) -> str:
    shown = text if len(text) <= LABEL else text[: LABEL - 1] + "…"
    return f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" {TEXT}>{escape(shown)}</text>'


def _svg(parts: Sequence[str], height: int, what: str) -> str:
    inside = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDE} {height}" width="{WIDE}" height="{height}" role="img" '
        f'aria-label="{escape(what)}">\n{inside}\n</svg>'
    )


def _round_step(raw: float) -> float:
    """The next of 0.1, 0.2, 0.5, 1, 2, 5, ... seconds."""
    step = 0.1
    for factor in (2.0, 2.5, 2.0) * 5:
        if step >= raw:
            break
        step *= factor
    return step
