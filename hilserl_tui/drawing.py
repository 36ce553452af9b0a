"""Drawing: what Textual would write to the terminal, in the order of its importance and no more than the line takes.

`Console` inherits `PacedDrawing`. Textual hands over each change of the screen as rows; those that may not be late
go first, pictures last, and what finds no room is drawn with a later answer of the terminal, as it is by then.
The second file that touches Textual's insides (see `driver`): `App._display`, what a compositor hands to it, and
the compositor's dirty regions. Written against textual 8.2.8.
"""

import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from rich.console import Console as RichConsole
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from hilserl_tui.actions import KeyActions
from hilserl_tui.driver import ConsoleDriver
from hilserl_tui.pace import Pacer, Turn
from hilserl_tui.paper import Paper, Pen
from workers.model.commands import RenewLease

if TYPE_CHECKING:
    from hilserl_tui.screens.base import ConsoleScreen

TICK_S = 0.1  # sign of life, camera pictures
TEXT_EVERY = 2  # ticks between two drawings of the text panes
Piece = tuple[int, int, Strip]  # y, x, and what is to be there


class PacedDrawing(KeyActions):
    """Draws what is due where the terminal has shown what came before."""

    _due: Turn | None = None  # TEXT: everything, PICTURE: only the pictures
    _ticks_since_text = 0
    _in_one_piece = False

    @cached_property
    def pacer(self) -> Pacer:
        return Pacer()

    @cached_property
    def paper(self) -> Paper:
        return Paper()

    @cached_property
    def begin_at(self) -> dict[Turn, int]:
        """The rows at which drawings that were cut go on."""
        return {}

    def draw_now(self, screen: "ConsoleScreen", turn: Turn) -> None:
        """Hand the newest view to the panes."""
        raise NotImplementedError

    def drawn_screen(self) -> "ConsoleScreen | None":
        """The topmost full screen whose panes stand."""
        raise NotImplementedError

    def tick(self) -> None:
        """What is due now: pictures, and every so often the text; on a slow line always, since it waits long enough."""
        self._ticks_since_text += 1
        text = self.pacer.slow or self._ticks_since_text >= TEXT_EVERY
        self._due = Turn.TEXT if text or self._due is Turn.TEXT else Turn.PICTURE
        self._draw()
        self.call_after_refresh(self._ask)

    def terminal_answered(self, at_s: float) -> None:
        """In the input thread. The lease goes through the loop on purpose: a hung console must lose it."""
        self.pacer.answered_s = at_s  # keys that are held go on while the loop is busy
        driver = self._driver
        if driver is not None and not driver._loop.is_closed():
            driver._loop.call_soon_threadsafe(self._answered, at_s)

    def _answered(self, at_s: float) -> None:
        self.pacer.answered(at_s)
        if not self.left_alone():
            self.client.send(RenewLease())
        if self.screen_stack:
            self._draw()  # what was due and had to wait would be late by the next tick

    def left_alone(self) -> bool:
        """Whether somebody else than a person answers for the terminal."""
        raise NotImplementedError

    def _draw(self) -> None:
        if not self.pacer.may_draw(time.monotonic()):
            return
        screen = self.drawn_screen()
        if self._due is not None and screen is not None:
            if self._due is Turn.TEXT:
                self._ticks_since_text = 0
            self.draw_now(screen, self._due)
            self._due = None
        if self.screen._compositor._dirty_regions:
            self.call_after_refresh(self._draw_rest)

    def _draw_rest(self) -> None:
        """What the last drawing had no room for, unless this one had it."""
        if not self.screen_stack or not self.screen._compositor._dirty_regions:
            return
        if Turn.TEXT in self.begin_at or self.pacer.room(Turn.PICTURE) != 0:
            self.screen._compositor_refresh()

    def _ask(self) -> None:
        """A sign of life, where no drawing has asked for one."""
        now_s = time.monotonic()
        if now_s - self.pacer.asked_s > TICK_S / 2:
            self._probe(now_s)

    def _probe(self, now_s: float) -> None:
        if isinstance(self._driver, ConsoleDriver) and self.pacer.may_ask(now_s):
            self._driver.probe()

    # --- Textual's own ----------------------------------------------------------------------------------

    def top_stays(self) -> bool:
        """False while the screen on top is being taken away: to switch from it then would end the app."""
        return bool(self.screen_stack and self.screen._result_callbacks)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if renderable is None:
            super()._display(screen, None)
            return
        if isinstance(renderable, (ChopsUpdate, LayoutUpdate)):
            super()._display(screen, cast("RenderableType", Drawing(self, screen, renderable)))
        else:
            self.paper.forget()
            super()._display(screen, renderable)
        self._probe(time.monotonic())

    def _begin_update(self) -> None:
        # On a slow line what comes first is to be seen first.
        self._in_one_piece = not self.pacer.slow
        if self._in_one_piece:
            super()._begin_update()

    def _end_update(self) -> None:
        if self._in_one_piece:
            super()._end_update()


class Drawing(CompositorUpdate):
    """One change of the screen, written when Textual asks for it; what is left over is dirty again."""

    def __init__(self, app: PacedDrawing, screen: Screen[Any], update: ChopsUpdate | LayoutUpdate) -> None:
        self._app, self._screen, self._update = app, screen, update

    def render_segments(self, console: RichConsole) -> str:
        paper, pacer = self._app.paper, self._app.pacer
        paper.fit(*self._app.size)
        pen = Pen(COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR))
        room = {turn: pacer.room(turn) for turn in Turn}
        # Where the line is quick all of it is there at once, in whatever order.
        pieces = list(self._in_turn() if pacer.slow else ((Turn.TEXT, piece) for piece in self._pieces()))
        self._app.begin_at.clear()
        out, written = [], 0
        for turn, (y, x, strip) in pieces:
            # A strip that is one piece keeps itself there: thousands of objects a second that only the garbage
            # collector would find.
            strip._divide_cache.clear()
            limit = room[turn]
            if limit is not None and written >= limit:
                self._leave(turn, Region(x, y, strip.cell_length, 1))
            elif piece := paper.write(pen, x, y, strip):
                out.append(piece)
                written += len(piece.encode())
        return "".join(out) + pen.lift()

    def _leave(self, turn: Turn, region: Region) -> None:
        """For the next drawing, which begins there: no row waits for ever behind those above it."""
        self._app.begin_at.setdefault(turn, region.y)
        self._screen._compositor._dirty_regions.add(region)

    def _in_turn(self) -> Iterator[tuple[Turn, Piece]]:
        """Every piece, the most important first."""
        turns = [
            (region, getattr(widget, "turn", Turn.TEXT))  # front to back
            for widget, (region, _) in self._screen._compositor.visible_widgets.items()
        ]
        height, begin_at = max(1, self._app.size.height), self._app.begin_at
        pieces = []
        for piece in self._pieces():
            y, x, _ = piece
            turn = next((turn for region, turn in turns if region.contains(x, y)), Turn.TEXT)
            pieces.append((turn, (y - begin_at.get(turn, 0)) % height, x, piece))
        pieces.sort(key=lambda found: found[:3])
        for turn, _, _, piece in pieces:
            yield turn, piece

    def _pieces(self) -> Iterator[Piece]:
        update = self._update
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                x = update.region.x
                for strip in strips:
                    yield y, x, strip
                    x += strip.cell_length
            return
        told = set()
        for y, first, last in update.spans:
            for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if chop is not None and x < last and end > first and (y, x) not in told:
                    told.add((y, x))
                    yield y, x, chop
