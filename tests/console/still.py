"""A client that stands still: one state, and a list of what was sent."""

from textual.pilot import Pilot

from hilserl_tui.app import Console
from hilserl_tui.drawing import TEXT_EVERY
from hilserl_tui.view import Link
from workers.model.commands import Command, Drive
from workers.model.state import ConsoleState

MOST_TICKS = 12


class Still:
    recorded = False
    name = "me"
    trouble = refused_words = ""

    def __init__(self, state: ConsoleState, link: Link = Link.UP) -> None:
        self.state, self.link = state, link
        self.sent: list[Command] = []
        self.stops = 0
        self.changed = lambda: None

    @property
    def connected(self) -> bool:
        return self.link is Link.UP

    def start(self, changed) -> None:
        self.changed = changed

    def send(self, command: Command) -> bool:
        self.sent.append(command)
        return self.link is Link.UP

    def stop(self) -> bool:
        self.stops += 1
        return self.link is Link.UP

    def drive(self, held: Drive) -> bool:
        self.sent.append(held)
        return self.link is Link.UP

    def now_s(self) -> float:
        return 104.0

    async def close(self) -> None:
        pass


def screen_text(app: Console) -> list[str]:
    """The screen as a person reads it, one string a row."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def settle(pilot: Pilot[object]) -> list[str]:
    """The screen once all is drawn that there is to draw: what the next ticks would do, without their wait."""
    app = pilot.app
    assert isinstance(app, Console)
    rows: list[str] = []
    for _ in range(MOST_TICKS):  # what is live never stands still
        await pilot._wait_for_screen()
        app._ticks_since_text = TEXT_EVERY
        app._tick()
        await pilot.pause()
        if rows == (rows := screen_text(app)):
            break
    return rows
