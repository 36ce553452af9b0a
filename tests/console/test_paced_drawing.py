"""What goes to the terminal of a change of the screen: in what order, how much of it, and what becomes of the rest."""

import re

import pytest
from rich.console import Console as RichConsole

from hilserl_tui.app import Console
from hilserl_tui.drawing import Drawing
from hilserl_tui.pace import LEAST_BYTES, Turn
from tests.console import demo
from tests.console.small_terminal import SmallTerminal
from tests.console.still import Still, screen_text
from tests.console.test_pace import drawn, on_line
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

SIZE = (120, 40)
THIN = 125_000, 0.08, [8_000] * 4
THINNEST = 25_000, 0.08, [8_000] * 4
TRUECOLOUR = RichConsole(color_system="truecolor", force_terminal=True)
ROW = 5_000  # bytes: no row of the screen needs more


def with_pictures() -> ConsoleState:
    state = demo.training()
    for name in demo.OPENED.cameras:
        state = reduce(state, e.FramePreview(name, 40, 40, demo.picture(name, 0.0, 40), 0.0))
    return state


def draw(app: Console, full: bool = False) -> str:
    compositor = app.screen._compositor
    update = compositor.render_full_update() if full else compositor.render_partial_update()
    assert update is not None
    return Drawing(app, app.screen, update).render_segments(TRUECOLOUR)


def rows_in(written: str) -> list[int]:
    """The rows that were written to, in their order."""
    return list(dict.fromkeys(int(row) - 1 for row in re.findall(r"\x1b\[(\d+);\d+H", written)))


async def test_on_a_thin_line_the_bars_come_first_and_no_more_than_fits():
    app = Console(Still(with_pictures()), start_run=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        app.pacer = on_line(*THINNEST)
        room = app.pacer.room(Turn.TEXT)
        written = draw(app, full=True)
        assert room is not None and room < len(written.encode()) < room + ROW
        assert rows_in(written)[:4] == [0, SIZE[1] - 1, 1, 2], "state bar and keys, then from the top"
        assert app.screen._compositor._dirty_regions


async def test_a_large_change_is_complete_after_some_answers():
    app = Console(Still(with_pictures()), start_run=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        app.pacer = on_line(*THINNEST)
        terminal, now_s, pieces = SmallTerminal(), 100.0, [draw(app, full=True)]
        while app.screen._compositor._dirty_regions:
            drawn(app.pacer, now_s, len(pieces[-1].encode()), 0.15)
            now_s += 0.2
            pieces.append(draw(app))
        for piece in pieces:
            terminal.take(piece)
        wanted = [row.replace("▀", " ") for row in screen_text(app)]
        assert terminal.text(*SIZE) == wanted and len(pieces) > 2
        assert any(cell[0] == "halves" and cell[1] != cell[2] for cell in terminal.cells.values()), "pictures"


async def test_pictures_wait_where_text_has_filled_the_line():
    app = Console(Still(with_pictures()), start_run=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        app.pacer = on_line(*THIN)
        app.pacer.wrote(app.pacer.room(Turn.PICTURE) or 0)
        app.pacer.asked(100.0)
        cameras = [pane.region for pane in app.screen.query("Camera")]
        app.screen._compositor._dirty_regions.update(cameras)
        assert not rows_in(draw(app)), "nothing of them"
        app.pacer.answered(100.15)
        seen = rows_in(draw(app))
        assert seen and len(seen) < cameras[0].height
        app.pacer.wrote(LEAST_BYTES)
        drawn(app.pacer, 101.0, 0, 0.15)
        assert rows_in(draw(app))[0] == seen[-1] + 1, "it goes on where it was cut"


@pytest.mark.parametrize("size", [SIZE, (80, 24)])
async def test_without_a_measured_line_everything_is_written_at_once(size):
    app = Console(Still(with_pictures()), start_run=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        terminal = SmallTerminal()
        terminal.take(draw(app, full=True))
        assert terminal.text(*size) == [row.replace("▀", " ") for row in screen_text(app)]
        assert not app.screen._compositor._dirty_regions


async def test_a_screen_that_is_shown_again_costs_only_what_differs():
    app = Console(Still(with_pictures()), start_run=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        first = draw(app, full=True)
        assert draw(app, full=True) == ""
        await pilot.press("1")
        await pilot.pause(0.3)
        home = draw(app, full=True)
        assert 0 not in rows_in(home), "the state bar is there already"
        assert len(home) < len(first)
