"""The real console on a pseudo-terminal, attached to a fake station."""

import asyncio
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import pytest

from hilserl_tui.driver import PASTE_WITHIN_S, ConsoleDriver
from hilserl_tui.pace import Pacer
from tests.console import demo
from tests.console.fake_station import FakeStation
from workers.model import commands as c
from workers.model import events as e

CONSOLE = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as a terminal's shell leaves it, also where tests run under nohup
from hilserl_tui.app import Console
from hilserl_tui.client import LiveClient
app = Console(LiveClient(sys.argv[1], "me"), start_run=True)
app.run()
sys.exit(app.return_code or 0)
"""
PROBE = b"\x1b[6n"
LEAVE_SCREEN = b"\x1b[?1049l"


class FakeTerm:
    """A terminal of 120x40: keeps what was drawn, answers CSI 6n, and can stall or fall silent."""

    def __init__(self, path, code: str = CONSOLE) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (40, 120))
        self.before = termios.tcgetattr(self.slave)
        self.out = b""
        self.answers = True
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("TMUX", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environment,
            start_new_session=True,
        )
        self.read_on()

    def read_on(self) -> None:
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def stall(self) -> None:
        """Take no more output, as a dead line does."""
        asyncio.get_running_loop().remove_reader(self.master)

    def press(self, keys: bytes) -> float:
        os.write(self.master, keys)
        return time.monotonic()

    def _read(self) -> None:
        data = os.read(self.master, 65536)
        self.out += data
        if self.answers:
            for _ in range(data.count(PROBE)):
                os.write(self.master, b"\x1b[1;1R")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before


async def until(true, within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "did not happen"
        await asyncio.sleep(0.005)


@pytest.fixture
async def console(tmp_path):
    """(terminal, station), with the first screen drawn."""
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    term = FakeTerm(station.path)
    await until(lambda: b"HUMAN" in term.out and len(station.hellos) == 2)
    await asyncio.sleep(0.3)
    yield term, station
    term.close()
    await station.die()


async def flood(station: FakeStation) -> None:
    """Keep every pane changing."""
    for i in range(100_000):
        for _, event in demo.running(e.Driver.HUMAN, 200.0 + i, seconds=0.4):
            station.say(event)
        station.say(e.LogLine("actor", e.Level.INFO, f"line {i} " + "x" * 80))
        await asyncio.sleep(0.05)


async def test_stop_arrives_at_once_while_the_terminal_stalls(console):
    term, station = console
    task = asyncio.create_task(flood(station))
    term.stall()
    await asyncio.sleep(1.5)
    pressed = term.press(b"x")
    await until(lambda: station.stops, 2.0)
    task.cancel()
    assert station.stops[0][0] - pressed < 0.1


async def test_the_lease_lives_by_the_terminals_answers_and_ends_with_them(console):
    term, station = console

    def renewals() -> list[float]:
        return [at for at, got in station.received if isinstance(got, c.RenewLease)]

    before = len(renewals())
    await asyncio.sleep(1.0)
    assert len(renewals()) - before >= 5
    term.answers = False
    await asyncio.sleep(0.3)
    silent = len(renewals())
    await asyncio.sleep(0.7)
    assert len(renewals()) == silent


async def test_a_terminal_that_never_answers_is_still_drawn_and_its_keys_are_life_signs(tmp_path):
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    term = FakeTerm(station.path)
    term.answers = False
    await until(lambda: len(station.hellos) == 2)
    await asyncio.sleep(1.5)
    station.say(e.LogLine("actor", e.Level.INFO, "still drawing"))
    await until(lambda: b"still drawing" in term.out, 3.0)
    term.press(b"j")
    await until(lambda: any(isinstance(got, c.RenewLease) for _, got in station.received))
    term.close()
    await station.die()


GARBAGE = {
    "utf8": b"\xff\xfe\xc3\x28\x80",
    "kitty": b"\x1b[:;u\x1b[99:1:;;u",
    "huge": b"\x1b[99999999999;2u",
    "mouse": b"\x1b[M\xff\xff\xff\x1b[<0;999999;1M",
    "paste": b"\x1b[200~\xff\x00paste\x1b[201~",
    # Without the stop keys, the keys that end an episode or the run, and those that open a field, where an x is text.
    "noise": random.Random(5).randbytes(400).translate(None, b"xX\x03sq\x11l:\x10"),
}


async def test_no_byte_sequence_ends_the_console_or_deafens_the_stop_key(console):
    term, station = console
    for number, (name, garbage) in enumerate(GARBAGE.items(), start=1):
        term.press(garbage)
        await asyncio.sleep(0.3)
        pressed = term.press(b"x")
        await until(lambda n=number: len(station.stops) >= n, 2.0)
        assert station.stops[-1][0] - pressed < 0.3, name
        assert term.process.poll() is None, name


async def test_a_paste_whose_end_is_lost_does_not_keep_the_stop_key_for_long(console):
    term, station = console
    term.press(b"\x1b[200~half a paste")
    await asyncio.sleep(PASTE_WITHIN_S + 0.4)
    pressed = term.press(b"x")
    await until(lambda: station.stops, 2.0)
    assert station.stops[-1][0] - pressed < 0.3


async def test_the_stop_key_right_behind_an_escape_stops_in_a_field_too(console):
    """As tmux sends them, to whom they are one key."""
    term, station = console
    term.press(b":")
    await until(lambda: b"earch for commands" in term.out)
    await asyncio.sleep(0.5)  # it is drawn a moment before it has the keys
    term.press(b"x")
    await asyncio.sleep(0.3)
    assert not station.stops, "it is text"
    for keys in ((b"\x1bx",), (b"\x1b", b"x"), (b"\x1b", b"\x1b[1;1R", b"x")):
        term.press(b":")
        await asyncio.sleep(0.5)
        stops = len(station.stops)
        for key in keys:
            term.press(key)
            await asyncio.sleep(0.02)
        await until(lambda stops=stops: len(station.stops) > stops, 1.0)


async def test_a_key_is_a_command_on_the_wire(console):
    term, station = console
    pressed = term.press(b"\x1b[A")
    await until(lambda: station.commands)
    (jog,) = station.commands
    assert isinstance(jog, c.Jog)
    assert (jog.axis, jog.direction) == (c.Axis.X, 1)
    assert station.received[-1][0] - pressed < 0.3


@pytest.fixture
def handlers_of_this_process():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers_of_this_process")
async def test_a_stop_in_the_middle_of_a_drawing_waits_until_it_is_handed_over(monkeypatch) -> None:
    """The queue to the thread that writes is locked then: to write from the signal's handler would never end."""
    driver = ConsoleDriver(SimpleNamespace(pacer=Pacer()))
    done: list[object] = []

    def stopped_within(data: str) -> None:
        signal.raise_signal(signal.SIGTSTP)
        done.append(data)

    monkeypatch.setattr("hilserl_tui.driver.os.kill", lambda pid, number: done.append(number))
    driver._writer_thread = SimpleNamespace(write=stopped_within)
    driver.write("a drawing")
    assert done == ["a drawing", signal.SIGSTOP]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_leaves_the_terminal_as_it_was(console, number):
    term, _ = console
    assert not term.restored()
    os.kill(term.process.pid, number)
    await until(lambda: term.process.poll() is not None, 5.0)
    await asyncio.sleep(0.1)
    assert term.process.returncode == 0
    assert LEAVE_SCREEN in term.out
    assert term.restored()


async def test_a_stalled_terminal_cannot_keep_the_console_from_ending(console):
    term, station = console
    task = asyncio.create_task(flood(station))
    term.stall()
    await asyncio.sleep(1.0)
    os.kill(term.process.pid, signal.SIGTERM)
    await until(lambda: term.process.poll() is not None, 6.0)
    task.cancel()
    assert term.restored()


async def test_a_terminal_that_is_gone_ends_the_console(console):
    term, _ = console
    asyncio.get_running_loop().remove_reader(term.master)
    os.kill(term.process.pid, signal.SIGHUP)
    await until(lambda: term.process.poll() is not None, 5.0)
