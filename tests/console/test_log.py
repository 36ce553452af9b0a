"""The log pane: what matters is read whole, also on a narrow screen; and what workers that died are told by."""

from collections.abc import Sequence

import pytest

from hilserl_tui.panes.draw import row_width
from hilserl_tui.panes.log import LOUD_ROWS, LogPane
from hilserl_tui.view import Link, View
from tests.console import demo
from tests.console.still import Still
from tests.console.test_screens import SIZES, drawn
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

LONG = "episode 11 ended: camera front: no frame for more than 0.3 s; look at its plug and at its address in the file"
DIED = e.WorkerChanged("learner", e.WorkerState.RESTARTING, "died of SIGKILL; restarts in 0.5 s", 1)
AGAIN = e.WorkerChanged("learner", e.WorkerState.STARTING, "", 1)


def said(*lines: tuple[e.Level, str]) -> ConsoleState:
    state = ConsoleState()
    for level, text in lines:
        state = reduce(state, e.LogLine("actor", level, text, 1_795_000_000.0))
    return state


def shown(state: ConsoleState, width: int = 80, height: int = 4) -> Sequence[str]:
    rows = LogPane().rows(View(state, Link.UP), width, height)
    assert len(rows) <= height and all(row_width(row) <= width for row in rows)
    return ["".join(text for text, _ in row) for row in rows]


def words(rows: Sequence[str]) -> str:
    return " ".join(" ".join(row[24:] for row in rows).split())


def test_a_long_line_goes_on_below_while_there_is_room() -> None:
    rows = shown(said((e.Level.INFO, LONG)))
    assert len(rows) > 1 and words(rows) == LONG
    assert rows[0][0] != " " and rows[1].startswith(" " * 24)


def test_a_warning_is_read_whole_at_the_cost_of_older_lines() -> None:
    old = [(e.Level.INFO, f"policy {number} sent") for number in range(9)]
    rows = shown(said(*old, (e.Level.WARNING, LONG)))
    assert words(rows[-2:]) == LONG and "policy 8 sent" in rows[-3] and len(rows) == 4


def test_what_is_no_warning_costs_no_older_line_and_says_where_it_was_cut() -> None:
    rows = shown(said(*[(e.Level.INFO, LONG)] * 9))
    assert len(rows) == 4 and all(row.endswith("…") for row in rows)


def test_no_warning_takes_more_than_its_rows() -> None:
    rows = shown(said(*[(e.Level.INFO, "before")] * 9, (e.Level.ERROR, LONG * 9)), height=6)
    assert sum("before" in row for row in rows) == 6 - LOUD_ROWS and rows[-1].endswith("…")


@pytest.mark.parametrize("width", [1, 8, 20, 30])
def test_any_width_has_lines(width: int) -> None:
    LogPane().rows(View(said((e.Level.ERROR, LONG + "\n\x1b[2J" + "x" * 300)), Link.UP), width, 4)


@SIZES
async def test_why_a_worker_died_stays_in_the_log_when_it_runs_again(size: tuple[int, int]) -> None:
    back = e.WorkerChanged("learner", e.WorkerState.RUNNING, "", 1)
    text = "\n".join(await drawn(Still(reduce(reduce(demo.training(), DIED), back)), size))
    assert "learner restarting: died of SIGKILL" in text


@SIZES
@pytest.mark.parametrize("died", [DIED, AGAIN])
async def test_a_learner_that_died_does_not_seem_to_learn(
    size: tuple[int, int], died: e.WorkerChanged
) -> None:
    state = reduce(demo.training(), died)
    assert "restarts  last: training" in "\n".join(await drawn(Still(state), size))
    home = "\n".join(await drawn(Still(state), size, "1"))
    assert "0.95, restarts" in home and "0.95, training" not in home
