"""End effector: the workspace from above (x, y) and from the side (x, z), with the arm and its trail in it.

From above: forward (+x) is up and +y is left, as seen by a person standing behind the base. From the side:
+x is right, +z is up. The arrow keys move the mark the way they point.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import wrap

from hilserl_tui.panes.braille import Canvas
from hilserl_tui.panes.draw import Row, Span, fit, gauge
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Driver, RunOpened

EDGE_M = 0.002  # outside by less: an arm that is held at its bounds sags a little
TRAIL = 80  # positions of this episode remembered, 16 s at 5 Hz
Vector = tuple[float, float, float]
Frame = tuple[tuple[float, float], tuple[float, float], str]
"""A box in a view: two opposite corners (right, down) in 0..1, and its style."""

MARKS = {Driver.POLICY: "blue", Driver.HUMAN: "amber", Driver.SCRIPTED: "amber", Driver.NOBODY: "bold"}


def share(value: float, low: float, high: float) -> float:
    """Where `value` lies between the bounds, 0..1, clamped."""
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5


def top_view(point: Vector, low: Vector, high: Vector) -> tuple[float, float]:
    """(right, down) in 0..1 of the space from `low` to `high`, seen from above: +y to the left, +x up."""
    return 1.0 - share(point[1], low[1], high[1]), 1.0 - share(point[0], low[0], high[0])


def side_view(point: Vector, low: Vector, high: Vector) -> tuple[float, float]:
    """(right, down) in 0..1 of the space from `low` to `high`, seen from the right: +x to the right, +z up."""
    return share(point[0], low[0], high[0]), 1.0 - share(point[2], low[2], high[2])


def box(
    name: str,
    axes: tuple[str, str],
    width: int,
    height: int,
    trail: list[tuple[float, float]],
    mark: str,
    frames: Sequence[Frame] = (),
) -> list[Row]:
    """A framed view, `height` rows: the trail as a line, the newest position as ◆ in style `mark`.

    `axes` name the upward and the sideways direction; `frames` are boxes drawn into the view.
    """
    canvas = Canvas(width - 2, height - 2)
    wide, high = canvas.dots
    for start, end, style in frames:
        left, right = (round(across * (wide - 1)) for across in sorted((start[0], end[0])))
        upper, lower = (round(down * (high - 1)) for down in sorted((start[1], end[1])))
        for corners in ((left, upper, right, upper), (right, upper, right, lower)):
            canvas.line(*corners, style)
        for corners in ((right, lower, left, lower), (left, lower, left, upper)):
            canvas.line(*corners, style)
    dots = [(round(across * (wide - 1)), round(down * (high - 1))) for across, down in trail]
    for i, (start, end) in enumerate(pairwise(dots)):
        canvas.line(*start, *end, "dim" if i > len(dots) * 2 // 3 else "faint")
    head = f"─ {name} "
    foot = f" {axes[1]} "
    rows: list[Row] = [((f"┌{head}{'─' * (width - 2 - len(head))}┐", "faint"),)]
    spot = None
    if trail:
        across, down = trail[-1]
        spot = round(across * (width - 3)), round(down * (height - 3))
    for y in range(height - 2):
        inner = list(canvas.row(y))
        if spot is not None and spot[1] == y:
            inner = _put(inner, spot[0], "◆", mark)
        edge = axes[0] if y == 0 else "│"
        rows.append(((edge, "dim" if y == 0 else "faint"), *inner, ("│", "faint")))
    rows.append((("└" + "─" * (width - 2 - len(foot)), "faint"), (foot, "dim"), ("┘", "faint")))
    return rows


def _put(spans: list[Span], at: int, char: str, style: str) -> list[Span]:
    """`spans` with the cell `at` replaced."""
    out: list[Span] = []
    position = 0
    for text, name in spans:
        if position <= at < position + len(text):
            cut = at - position
            out += [(text[:cut], name), (char, style), (text[cut + 1 :], name)]
        else:
            out.append((text, name))
        position += len(text)
    return [(text, name) for text, name in out if text]


def both_views(
    width: int,
    height: int,
    space: tuple[Vector, Vector],
    trail: Iterable[Vector],
    driver: Driver,
    boxes: Sequence[tuple[Vector, Vector, str]] = (),
) -> list[Row]:
    """The space (its least and greatest corner) from above and from the side; `boxes` in it by corners and style."""
    low, high = space
    each, trail = (width - 1) // 2, list(trail)
    top, side = (
        box(
            name,
            axes,
            wide,
            height,
            [seen(point, low, high) for point in trail],
            MARKS[driver],
            [(seen(least, low, high), seen(greatest, low, high), style) for least, greatest, style in boxes],
        )
        for name, axes, wide, seen in (
            ("top", ("x", "y ◂"), each, top_view),
            ("side", ("z", "▸ x"), width - 1 - each, side_view),
        )
    )
    return [(*left, (" ", "text"), *right) for left, right in zip(top, side, strict=True)]


class EndEffector(Lines):
    title = "end effector"

    def __init__(self) -> None:
        super().__init__()
        self._trail: deque[Vector] = deque(maxlen=TRAIL)
        self._episode = -1

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.arm, view.state.run, view.state.control.driver

    def show(self, view: View) -> None:
        arm = view.state.arm
        if self._episode != view.state.running.episode:
            self._episode = view.state.running.episode
            self._trail.clear()
        if arm.at_s and (not self._trail or self._trail[-1] != arm.ee_m):
            self._trail.append(arm.ee_m)
        super().show(view)

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, "metres" if view.has_arm else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        run = view.state.run
        if run is not None and not run.has_arm:
            return [(("this environment has no arm: no workspace to show", "dim"),)]
        if run is None or not view.state.arm.at_s:
            return [
                ((line, "dim"),) for line in wrap("no arm yet: the robot worker is starting", max(8, width))
            ]
        if height >= 11 and width >= 40:
            return self._large(view, run, width, height)
        return self._small(view, run, width, height)

    def _boxes(self, view: View, run: RunOpened, width: int, height: int) -> list[Row]:
        """Both views side by side with one blank column between."""
        return both_views(width, height, (run.ee_min_m, run.ee_max_m), self._trail, view.state.control.driver)

    def _large(self, view: View, run: RunOpened, width: int, height: int) -> list[Row]:
        return [*self._boxes(view, run, width, height - 5), *self._numbers(view, run, width, bounds=True)]

    def _small(self, view: View, run: RunOpened, width: int, height: int) -> list[Row]:
        left = max(19, width - 19)
        boxes = self._boxes(view, run, left, height)
        numbers = self._numbers(view, run, width - left - 1, bounds=False)
        numbers += [()] * (height - len(numbers))
        return [(*fit(a, left), (" ", "text"), *b) for a, b in zip(boxes, numbers, strict=False)]

    def _numbers(self, view: View, run: RunOpened, width: int, *, bounds: bool) -> list[Row]:
        arm = view.state.arm
        mark = MARKS[view.state.control.driver]
        rows: list[Row] = []
        for axis, name in enumerate("xyz"):
            low, high, value = run.ee_min_m[axis], run.ee_max_m[axis], arm.ee_m[axis]
            style = "red" if value < low or value > high else mark
            if name == "y":  # left is left here too
                low, high = high, low
            ends = 16 if bounds else 0
            line = gauge(value, low, high, width - 10 - ends, style)
            number: Row = ((f" {value:+.3f}", "text"),)
            if bounds:
                rows.append(
                    (
                        (f"{name} ", "dim"),
                        (f"{low:+.3f} ", "faint"),
                        *line,
                        (f" {high:+.3f} ", "faint"),
                        *number,
                    )
                )
            else:
                rows.append(((f"{name} ", "dim"), *line, *number))
        rows.append(
            (
                ("gripper ", "dim"),
                (f"{round(arm.gripper_pct):3d} %", "text"),
                ("  open" if arm.gripper_pct > 50 and width >= len("gripper 100 %  open") else "", "dim"),
            )
        )
        outside = " ".join(
            name
            for name, low, value, high in zip("xyz", run.ee_min_m, arm.ee_m, run.ee_max_m, strict=True)
            if not low - EDGE_M <= value <= high + EDGE_M
        )
        if arm.clipped:
            rows.append((("limited: ", "yellow"), (" ".join(arm.clipped), "yellow")))
        elif outside:
            rows.append((("outside the bounds: " if bounds else "outside: ", "red"), (outside, "red")))
        elif bounds:
            rows.append((("inside all limits", "faint"),))
        return rows
