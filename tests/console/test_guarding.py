"""However the console ends, the terminal is as it was; and no noise on its line ends it."""

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from hilserl_tui.guarding import RESTORE
from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.test_driver import LEAVE_SCREEN, FakeTerm, until
from workers.model import events as e

GUARDED = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from pathlib import Path
from hilserl_tui.opening import attach
attach(Path(sys.argv[1]))
"""


def child_of(pid: int) -> int:
    """The console itself, below its parent."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@pytest.fixture
async def guarded(tmp_path, monkeypatch):
    """(terminal, station, pid of the console itself), with the first screen drawn."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    term = FakeTerm(station.path, GUARDED)
    await until(lambda: b"HUMAN" in term.out and len(station.hellos) == 2)
    await asyncio.sleep(0.3)
    child = child_of(term.process.pid)
    yield term, station, child
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    term.close()
    await station.die()


async def test_a_killed_console_leaves_the_terminal_as_it_was_and_says_what_goes_on(guarded) -> None:
    term, _, child = guarded
    assert not term.restored()
    os.kill(child, signal.SIGKILL)
    await until(lambda: term.process.poll() is not None, 5.0)
    await asyncio.sleep(0.1)
    assert term.process.returncode == 128 + signal.SIGKILL
    assert term.restored()
    assert RESTORE in term.out
    assert b"killed (SIGKILL); a run that it showed goes on" in term.out.partition(RESTORE)[2]


async def test_a_signal_to_the_parent_ends_both_in_order(guarded) -> None:
    term, _, child = guarded
    os.kill(term.process.pid, signal.SIGTERM)
    await until(lambda: term.process.poll() is not None, 5.0)
    await asyncio.sleep(0.1)
    assert term.process.returncode == 0
    assert term.restored()
    assert LEAVE_SCREEN in term.out and RESTORE not in term.out
    assert not Path(f"/proc/{child}").exists()


async def test_a_console_whose_parent_was_killed_leaves_too(guarded) -> None:
    term, _, child = guarded
    os.kill(term.process.pid, signal.SIGKILL)
    await until(lambda: not _alive(child), 6.0)
    assert LEAVE_SCREEN in term.out
    assert term.restored()


def _alive(pid: int) -> bool:
    """An orphan that ended may stay a zombie where nobody reaps."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_stalled_terminal_is_restored_too(guarded) -> None:
    term, station, _ = guarded
    term.stall()
    for step in range(2000):
        station.say(e.LogLine("actor", e.Level.INFO, f"line {step} " + "x" * 80))
    await asyncio.sleep(0.5)
    os.kill(term.process.pid, signal.SIGTERM)
    await until(lambda: term.process.poll() is not None, 9.0)
    assert term.restored()


# Keys that would end the run or the console, or open a field for text, are left out; the rest may come in any order.
LEFT_OUT = b"qQsSdDlL:\x10\x11\x04\x1a\x12"
HALVES = (b"\x1b[M", b"\x1b[<0;", b"\x1b[?", b"\x1bO", b"\x9b", b"\x1b]", b"\x1b[99999999999;2u")
CATCHES_UP_WITHIN_S = 60.0
TORN = (b"\xc3", b"\xf0\x9f", b"\xff\xfe")


def noise(seed: int, chunks: int) -> list[bytes]:
    """Random bytes with X10 mouse reports, halves of escape sequences and torn UTF-8 among them."""
    source = random.Random(seed)
    made = []
    for _ in range(chunks):
        chunk = source.randbytes(source.randint(1, 60)) + source.choice(HALVES + TORN) + source.randbytes(4)
        made.append(chunk.translate(None, LEFT_OUT))
    return made


async def test_seconds_of_noise_end_nothing_and_the_console_quits_in_order(guarded) -> None:
    term, station, child = guarded
    for chunk in noise(seed=11, chunks=100):
        term.press(chunk)
        await asyncio.sleep(0.03)
        assert term.process.poll() is None, chunk
    term.press(b"\x1b" * 30)  # whatever was opened is closed
    await heard(term, station)
    term.out = b""
    term.press(b"q")
    # Thousands of keys come before it: a busy machine takes its time over them.
    await until(lambda: b"leave the console" in term.out, CATCHES_UP_WITHIN_S)
    term.press(b"d")
    await until(lambda: term.process.poll() is not None, CATCHES_UP_WITHIN_S)
    await asyncio.sleep(0.1)
    assert term.process.returncode == 0
    assert b"Traceback" not in term.out
    assert term.restored()
    assert not Path(f"/proc/{child}").exists()


async def heard(term: FakeTerm, station: FakeStation) -> None:
    """All that was typed has been read. An escape that is read together with the next key is alt and that key."""
    stops, end_s = len(station.stops), time.monotonic() + CATCHES_UP_WITHIN_S
    while len(station.stops) == stops:
        assert time.monotonic() < end_s, "the stop key is not heard"
        await asyncio.sleep(0.3)
        term.press(b"x")
        await asyncio.sleep(0.3)
