"""What a worker logs is not cut off unsaid."""

import pytest

from hilserl_tui.panes.log import LogPane
from hilserl_tui.view import Link, View
from workers.model import events as e
from workers.model.state import ConsoleState

LONG = (
    "nobody holds the controls: the arm holds until somebody does. Attach with `hilserl-tui attach`, then g"
)


def shown(texts: tuple[str, ...], width: int, height: int) -> list[str]:
    lines = tuple(e.LogLine("station", e.Level.WARNING, text, 1.0) for text in texts)
    rows = LogPane().rows(View(ConsoleState(log=lines), Link.UP, 2.0), width, height)
    return ["".join(text for text, _ in row) for row in rows]


@pytest.mark.parametrize("width", [80, 100])
def test_a_long_line_goes_on_below_where_there_is_room(width: int) -> None:
    rows = shown(("before", LONG, "after"), width, 4)
    assert len(rows) == 4 and all(len(row) <= width for row in rows)
    assert f"{rows[1].partition('! ')[2]} {rows[2].strip()}" == LONG


def test_the_newest_lines_are_those_that_stay() -> None:
    rows = shown((LONG, LONG, "last"), 100, 4)
    assert len(rows) == 4 and rows[-1].endswith("last")


def test_what_has_no_room_is_marked() -> None:
    (row,) = shown((LONG,), 80, 2)
    assert len(row) == 80 and row.endswith("…")
    rows = shown((LONG * 3,), 80, 4)
    assert len(rows) == 2 and rows[-1].endswith("…")
