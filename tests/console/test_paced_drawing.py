"""What goes to the terminal of a change of the screen: in what order, how much of it, and what becomes of the rest."""

import re

import pytest
from rich.console import Console as RichConsole

from hilserl_tui.app import Console
from hilserl_tui.drawing import Drawing
from hilserl_tui.pace import LEAST_BYTES, Turn
from hilserl_tui.theme import use
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


async def test_a_strip_that_was_drawn_does_not_hold_on_to_itself():
    """Only the garbage collector would find it then, and would have to look often."""
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        app.screen._compositor._dirty_regions.update(pane.region for pane in app.screen.query("Lines"))
        update = app.screen._compositor.render_partial_update()
        drawing = Drawing(app, app.screen, update)
        drawing.render_segments(TRUECOLOUR)
        strips = [strip for _, _, strip in drawing._pieces()]
        assert len(strips) > 50
        assert not any(len(strip._divide_cache) for strip in strips)


@pytest.mark.parametrize("theme", ["light", "safe"])
async def test_what_panes_stand_on_follows_the_theme(theme: str):
    """It is kept between two drawings, since to ask for it anew for every line costs an eighth of the console."""
    app = Console(Still(with_pictures()), start_run=True)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(0.3)
            panes = list(app.screen.query("Surface"))
            before = [pane.ground for pane in panes]
            assert len(panes) > 10 and all(pane.ground == pane.rich_style for pane in panes)
            app._change_theme(theme)
            await pilot.pause(0.3)
            assert all(pane.ground == pane.rich_style for pane in panes)
            assert theme != "light" or all(
                now.ground.bgcolor != then.bgcolor for now, then in zip(panes, before, strict=True)
            )
    finally:
        use("dark")
