"""Log: the newest lines of every worker."""

import time
from textwrap import wrap

from hilserl_tui.panes.draw import Row, elide
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Level

_LEVELS = {Level.DEBUG: "faint", Level.INFO: "text", Level.WARNING: "yellow", Level.ERROR: "red"}
_SHAPES = {Level.DEBUG: " ", Level.INFO: " ", Level.WARNING: "!", Level.ERROR: "✗"}
_LOUD = (Level.WARNING, Level.ERROR)
LOUD_ROWS = 3  # at most, of one that should be read
CLOCK = 9  # cells of the time of day and a space
MIN_WORDS = 16  # cells for what is said, on however narrow a screen


class LogPane(Lines):
    title = "log"

    def watched(self, view: View) -> tuple[object, ...]:
        return (view.state.log,)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        """The newest lines. A long one goes on below where there is room, a warning at the cost of older ones too."""
        lines = view.state.log[-height:]
        if not lines:
            return [(("nothing logged yet", "dim"),)]
        name_width = 12 if width < 100 else 14  # camera-front
        before = CLOCK + name_width + 3
        spare = height - len(lines)
        rows: list[Row] = []
        for entry in reversed(lines):
            if len(rows) == height:
                break
            most = max(1 + spare, LOUD_ROWS if entry.level in _LOUD else 1)
            room = max(MIN_WORDS, width - before)
            first, *more = _wrapped(entry.text, room, min(most, height - len(rows)))
            spare = max(0, spare - len(more))
            clock = time.strftime("%H:%M:%S", time.localtime(entry.wall_s)) if entry.wall_s else " " * 8
            style = _LEVELS[entry.level]
            rows += [((" " * before, "text"), (line, style)) for line in reversed(more)]
            rows.append(
                (
                    (f"{clock} ", "faint"),
                    (elide(entry.worker, name_width), "dim"),
                    (f" {_SHAPES[entry.level]} ", style),
                    (first, style),
                )
            )
        return rows[::-1]


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """In at most so many lines, the last one cut with … where that is too few."""
    if most > 1 and len(text) > width:
        lines = wrap(text, width, max_lines=most, placeholder="…", break_on_hyphens=False)
        return lines or [""]
    return [elide(text, width).rstrip()]
