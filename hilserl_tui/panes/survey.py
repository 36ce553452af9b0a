"""What a search for the workspace has seen: the box in the space around it, every axis, every joint."""

from collections import deque
from typing import NamedTuple

from hilserl_tui.panes.draw import Row, Span
from hilserl_tui.panes.ee_bounds import MARKS, Vector, both_views
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.config.processor import SMALLEST_BOX_M
from workers.config.robot import MOTORS
from workers.model import survey as s
from workers.model.events import RunOpened
from workers.model.state import ConsoleState

TRAIL = 150  # positions remembered, 30 s at 5 Hz
AROUND_M, GRID_M = 0.03, 0.05  # the picture's edges: some room, and steps that keep it from creeping
NO_ARM = (("this environment has no arm: it has no workspace to look for", "dim"),)


class Shown(NamedTuple):
    """The boxes on the screen, and the space they are drawn in. Corners in metres."""

    low: Vector
    high: Vector
    found: tuple[Vector, Vector] | None
    present: tuple[Vector, Vector] | None


def shown(run: RunOpened, state: ConsoleState) -> Shown:
    """What the file has and what was seen, with the arm and its reset pose in the picture."""
    survey = state.survey
    present: tuple[Vector, Vector] | None = (run.ee_min_m, run.ee_max_m)
    found = None
    if run.finds_limits:
        present = survey.present if survey else None
    if survey is not None and survey.axes:
        found = survey.box_min_m, survey.box_max_m
    points = [*(present or ()), *(found or ()), state.arm.ee_m, *([survey.reset_m] if survey else [])]
    low, high = (tuple(way(axis) for axis in zip(*points, strict=True)) for way in (min, max))
    return Shown(_outwards(low, -1), _outwards(high, 1), found, present)


def _outwards(corner: tuple[float, ...], side: int) -> Vector:
    """A little outside, at a multiple of GRID_M."""
    x, y, z = (side * GRID_M * (1 + (side * at + AROUND_M) // GRID_M) for at in corner)
    return x, y, z


def span_gauge(
    value: float, seen: tuple[float, float] | None, low: float, high: float, width: int, mark: str, style: str
) -> Row:
    """`├──[■■■◆■■]──┤`: the part that was seen of the way from `low` to `high`, and `value` in it."""
    inner = max(1, width - 2)

    def cell(at: float) -> int:
        share = (at - low) / (high - low) if high != low else 0.5
        return min(inner - 1, max(0, round(share * (inner - 1))))

    cells: list[Span] = [("─", "faint")] * inner
    if seen is not None:
        first, last = sorted((cell(seen[0]), cell(seen[1])))
        cells[first : last + 1] = [("■", style)] * (last + 1 - first)
        if last > first:
            cells[first], cells[last] = ("[", style), ("]", style)
    cells[cell(value)] = ("◆", mark)
    return (("├", "faint"), *cells, ("┤", "faint"))


class SurveyPicture(Lines):
    """The found box, and faintly the file's, from above and from the side, with the arm and where it went."""

    title = "workspace"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._trail: deque[Vector] = deque(maxlen=TRAIL)

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.arm, view.state.run, view.state.survey, view.state.control.driver

    def heading(self, view: View) -> tuple[str, str]:
        run = view.state.run
        if run is None or not run.has_arm or not view.state.arm.at_s:
            return self.title, ""
        low, high = shown(run, view.state)[:2]
        sides = " x ".join(f"{100 * (b - a):.0f}" for a, b in zip(low, high, strict=True))
        return self.title, f"picture: {sides} cm"

    def show(self, view: View) -> None:
        arm = view.state.arm
        if arm.at_s and (not self._trail or self._trail[-1] != arm.ee_m):
            self._trail.append(arm.ee_m)
        super().show(view)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        run = view.state.run
        if run is not None and not run.has_arm:
            return [NO_ARM]
        if run is None or not view.state.arm.at_s:
            return [(("no arm yet: the robot worker is starting", "dim"),)]
        low, high, found, present = shown(run, view.state)
        boxes = [] if present is None else [(*present, "dim")]
        if found is not None:
            boxes.append((*found, "green" if _wide_enough(view) else "red"))
        return both_views(width, height, (low, high), self._trail, view.state.control.driver, boxes)


def _wide_enough(view: View) -> bool:
    survey = view.state.survey
    return (
        survey is not None and survey.axes is not None and min(a.width for a in survey.axes) >= SMALLEST_BOX_M
    )


class SurveyAxes(Lines):
    """x, y, z of the tool: where it is, the box that would be written, and how wide it is."""

    title = "tool, metres"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.face, view.state.arm, view.state.run, view.state.survey, view.state.control.driver

    def heading(self, view: View) -> tuple[str, str]:
        survey = view.state.survey
        if survey is None:
            return self.title, "of the file"
        margin = f" + {100 * survey.margin_m:.1f} cm" if survey.margin_m else ""
        return self.title, f"seen{margin}"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        run, state = view.state.run, view.state
        if run is None or not run.has_arm:
            return []
        space = shown(run, state)
        rows: list[Row] = []
        found = space.found if state.survey else space.present
        for axis, name in enumerate("xyz"):
            rows.append(self._row(view, name, axis, space, found, width))
        if state.survey is not None and height > 3:
            place = _place(state.survey.reset_m)
            rows.append((("reset pose ", "dim"), (place, "text")))
        if height > 4:
            now = _place(state.arm.ee_m)
            rows.append((("now        ", "dim"), (now, "text")))
        if height > 5 and state.arm.clipped:
            rows.append((("limited: ", "yellow"), (" ".join(state.arm.clipped), "yellow")))
        return rows

    def _row(
        self, view: View, name: str, axis: int, space: Shown, found: tuple[Vector, Vector] | None, width: int
    ) -> Row:
        low, high, survey = space.low[axis], space.high[axis], view.state.survey
        if name == "y":  # left is left here too
            low, high = high, low
        seen = None if found is None else (found[0][axis], found[1][axis])
        moved = survey.axes[axis].width if survey and survey.axes else None
        narrow = moved is not None and moved < SMALLEST_BOX_M
        style = "red" if narrow else "green" if survey else "dim"
        mark = MARKS[view.state.control.driver]
        gauge = span_gauge(view.state.arm.ee_m[axis], seen, low, high, width - 25, mark, style)
        if seen is None:
            return ((f"{name} ", "dim"), *gauge, ("  nothing counted yet", "faint"))
        chosen = view.face if survey is not None and survey.stage is s.Stage.DONE else ("", 0)
        ends = "".join(
            f"{'▸' if chosen == (name, end) else ' '}{value:+.3f}"
            for end, value in zip((-1, 1), seen, strict=True)
        )
        return ((f"{name} ", "dim"), *gauge, (ends, "text"), (f" {100 * (seen[1] - seen[0]):4.1f} cm", style))


def _place(position_m: Vector) -> str:
    return " ".join(f"{round(value, 3) + 0.0:+.3f}" for value in position_m)  # no -0.000


class SurveyJoints(Lines):
    """Every joint within all that it may go, and what was seen of it."""

    title = "joints, degrees"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.survey, view.state.control.driver, view.state.run

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        survey = view.state.survey
        if survey is None:
            return [(("shown while limits are looked for", "faint"),)] if view.has_arm else []
        mark = MARKS[view.state.control.driver]
        return [self._row(survey, index, width, mark) for index in range(len(MOTORS))]

    def _row(self, survey: s.Survey, index: int, width: int, mark: str) -> Row:
        reach, now = survey.joints_reach[index], survey.joints_deg[index]
        seen = survey.joints[index] if survey.joints else None
        ends = None if seen is None else (seen.low, seen.high)
        gauge = span_gauge(now, ends, reach.low, reach.high, width - 29, mark, "green")
        figures = f"{'now':>7} {now:6.1f}" if seen is None else f" {seen.low:6.1f} {seen.high:6.1f}"
        return ((f"{MOTORS[index]:<14}", "dim"), *gauge, (figures, "text" if seen else "faint"))
