"""Log: the newest lines of every worker."""

import time

from hilserl_tui.panes.draw import Row, elide
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Level

_LEVELS = {Level.DEBUG: "faint", Level.INFO: "text", Level.WARNING: "yellow", Level.ERROR: "red"}
_SHAPES = {Level.DEBUG: " ", Level.INFO: " ", Level.WARNING: "!", Level.ERROR: "✗"}


class LogPane(Lines):
    title = "log"

    def watched(self, view: View) -> tuple[object, ...]:
        return (view.state.log,)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        lines = view.state.log[-height:]
        if not lines:
            return [(("nothing logged yet", "dim"),)]
        name_width = 12 if width < 100 else 14  # camera-front
        rows: list[Row] = []
        for entry in lines:
            clock = time.strftime("%H:%M:%S", time.localtime(entry.wall_s)) if entry.wall_s else "        "
            rows.append(
                (
                    (f"{clock} ", "faint"),
                    (elide(entry.worker, name_width), "dim"),
                    (f" {_SHAPES[entry.level]} ", _LEVELS[entry.level]),
                    (entry.text, _LEVELS[entry.level]),
                )
            )
        return rows
