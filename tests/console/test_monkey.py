"""Keys at random, garbage, mouse, pastes, sizes: afterwards the console is sane. Longer ones are in tests/slow."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hilserl_tui.app import Console
from hilserl_tui.screens.base import ConsoleScreen
from tests.console import monkey
from tests.console.fake_station import FakeStation
from tests.console.looker import Looker
from tests.console.small_terminal import SmallTerminal
from tests.console.still import screen_text
from tests.console.test_driver import FakeTerm, until
from workers.model.reduce import reduce

NO_WORKERS = "/bin/true"  # what a monkey starts does nothing
GUARDED = f"""
import sys
from pathlib import Path
from hilserl_tui.opening import attach
sys.executable = "{NO_WORKERS}"
attach(Path(sys.argv[1]))
"""
HOME, STOP, STOP_ALWAYS, CLOSE = b"1", b"x", b"\x03", b"\x1b"
LOST_PASTE_S = 2.5  # see driver.PASTE_WITHIN_S
CATCHES_UP_WITHIN_S = 240.0


class Busy(Looker):
    """A run that goes on under the monkey's hands."""

    def __init__(self, folder: Path) -> None:
        state = monkey.run_state(folder)
        super().__init__(folder / "monkey.toml")
        self.state = state

    def happens(self, rng: random.Random) -> None:
        self.state = reduce(self.state, monkey.happenings(rng))
        self.changed()


async def played(folder: Path, seed: int, strokes: int) -> int:
    """Let a monkey play with the console, again whenever it has left it; how often it did."""
    rng, left = random.Random(seed), 0
    while strokes > 0:
        client = Busy(folder)
        app = Console(client, start_run=True)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            happening = asyncio.create_task(_go_on(client, rng.getrandbits(30)))
            made = await monkey.plays(pilot, rng, strokes)
            happening.cancel()
            strokes -= max(1, made)
            if app._exit:
                left += 1
                assert app.return_code in (0, 1), "1: left while the run was said to be stopping"
            else:
                await _is_sane(app, client, pilot)
    return left


async def _go_on(client: Busy, seed: int) -> None:
    rng = random.Random(seed)
    while True:
        await asyncio.sleep(0.02)
        client.happens(rng)


async def _is_sane(app: Console, client: Busy, pilot) -> None:
    """A known screen draws, keys work, the stop key above all."""
    await pilot.resize_terminal(120, 40)
    for _ in range(12):
        if isinstance(app.screen, ConsoleScreen):
            break
        await pilot.press("escape")
    assert isinstance(app.screen, ConsoleScreen), app.screen
    await pilot.press("1")
    await pilot.pause(0.4)
    rows = screen_text(app)
    assert "configuration" in "\n".join(rows) and "1 Home" in rows[1] + rows[3]
    stops = client.stops
    await pilot.press("ctrl+c")
    assert client.stops == stops + 1


@pytest.mark.timeout(120)
async def test_the_console_outlives_a_monkey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", NO_WORKERS)
    await played(tmp_path, seed=11, strokes=60)
    assert not caplog.records, "a pane could not be drawn"


class Terminal(FakeTerm):
    seen: SmallTerminal | None = None

    @property
    def shown(self) -> str:
        """What stands on the screen, of which the console writes only what changes."""
        return "\n".join(self.seen.text(118, 40)) if self.seen else ""

    def _read(self) -> None:
        before = len(self.out)
        with contextlib.suppress(BlockingIOError):  # a terminal that is full cannot answer either
            super()._read()
        if self.seen is not None:
            self.seen.receive(self.out[before:])

    def take(self, keys: bytes) -> None:
        """As `press`, but a terminal that is full drops keys rather than keep the monkey waiting."""
        try:
            os.write(self.master, keys)
        except BlockingIOError:
            return


@asynccontextmanager
async def guarded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Terminal, FakeStation]]:
    """The real command on a terminal of its own, attached."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    station = FakeStation(folder / "s", monkey.run_state(folder))
    await station.start()
    term = Terminal(station.path, GUARDED)
    os.set_blocking(term.master, False)
    await until(lambda: b"HUMAN" in term.out and len(station.hellos) == 2)
    try:
        yield term, station
    finally:
        term.close()
        await station.die()


async def typed(folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int, seconds: float) -> None:
    """Bytes at random into a real terminal; the console is sane afterwards and leaves in order."""
    rng, left = random.Random(seed), seconds
    while left > 0:
        async with guarded(folder, monkeypatch) as (term, station):
            for pause, keys in monkey.terminal_bytes(rng, left):
                left -= pause
                term.take(keys)
                await asyncio.sleep(pause)
                if rng.random() < 0.02:
                    station.say(monkey.happenings(rng))
                if rng.random() < 0.005:
                    columns, rows = rng.choice(monkey.SIZES)
                    termios.tcsetwinsize(term.slave, (rows, columns))
                    os.killpg(term.process.pid, signal.SIGWINCH)
                if term.process.poll() is not None:
                    break
            if term.process.poll() is None:
                await _is_sane_there(term, station)
            await _left_in_order(term)


async def _is_sane_there(term: Terminal, station: FakeStation) -> None:
    """The stop key that is none in a text is heard at once, whatever is open; keys work, and known screens draw."""
    term.seen = SmallTerminal()
    termios.tcsetwinsize(term.slave, (40, 118))  # none of the monkey's: all of it is drawn anew
    os.killpg(term.process.pid, signal.SIGWINCH)
    await asyncio.sleep(LOST_PASTE_S)
    stops = len(station.stops)
    term.take(STOP_ALWAYS)
    await until(lambda: len(station.stops) > stops, 3.0)
    await _shows(term, b"2", home=False)
    await _shows(term, HOME, home=True)
    stops = len(station.stops)
    term.take(STOP)
    await until(lambda: len(station.stops) > stops, 3.0)
    os.kill(term.process.pid, signal.SIGTERM)


async def _shows(term: Terminal, key: bytes, home: bool) -> None:
    """Close whatever is open and press `key` until its screen is there.

    A busy machine has the monkey's keys to go through before, and they may open more.
    """
    end_s = time.monotonic() + CATCHES_UP_WITHIN_S
    while ("configuration" in term.shown) is not home:
        assert time.monotonic() < end_s, term.shown
        term.take(CLOSE * 8)
        await asyncio.sleep(0.4)  # an escape that is read together with the next key is alt and that key
        term.take(key)
        await asyncio.sleep(0.4)


async def _left_in_order(term: Terminal) -> None:
    await until(lambda: term.process.poll() is not None, 20.0)
    await asyncio.sleep(0.2)
    assert term.process.returncode in (0, 1), term.out[-2000:]
    assert b"Traceback" not in term.out, term.out.rpartition(b"Traceback")[2].decode(errors="replace")
    assert term.restored()


@pytest.mark.timeout(120)
async def test_the_console_outlives_bytes_at_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await typed(tmp_path, monkeypatch, seed=3, seconds=1.5)
