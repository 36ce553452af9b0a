"""Log: the newest lines of every worker. What is longer than the pane goes on in a second row where there is room."""

import time
from textwrap import wrap

from rich.cells import cell_len

from hilserl_tui.panes.draw import Row, elide, row_width
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Level

_LEVELS = {Level.DEBUG: "faint", Level.INFO: "text", Level.WARNING: "yellow", Level.ERROR: "red"}
ROWS_FOR_TWO = 4  # a pane of so many has a second row for a long line
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
            head: Row = (
                (f"{clock} ", "faint"),
                (elide(entry.worker, name_width), "dim"),
                (f" {_SHAPES[entry.level]} ", _LEVELS[entry.level]),
            )
            indent = row_width(head)
            for text in _parts(entry.text, width - indent, 2 if height >= ROWS_FOR_TWO else 1):
                rows.append((*head, (text, _LEVELS[entry.level])))
                head = ((" " * indent, "text"),)
        return rows[-height:]


def _parts(text: str, room: int, most: int) -> list[str]:
    """A line in at most `most` rows of `room` cells; what is left out is marked."""
    if cell_len(text) <= room or room < 1:
        return [text]
    parts = wrap(text, room)
    if most == 1 or len(parts) < 2:
        return [elide(text, room)]
    return [parts[0], elide(" ".join(parts[1:]), room).rstrip()]
