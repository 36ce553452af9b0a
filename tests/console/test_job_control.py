"""Stopped and gone on with: the console below a real shell with job control, on a pseudo-terminal."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hilserl_tui.guarding import RESTORE
from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.test_driver import CONSOLE, LEAVE_SCREEN, FakeTerm, until
from tests.console.test_guarding import GUARDED, child_of
from workers.model import events as e

ENTER_SCREEN = b"\x1b[?1049h"
LOOPS_OWN = 1  # thread, which asyncio starts when it first needs it
PROMPT = b"ready> "
SHELL = """
import fcntl, os, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # job control needs a terminal of its own
os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
"""
TRACEBACK = re.compile(rb"Traceback|RuntimeError|AssertionError")


class ShellTerm(FakeTerm):
    """An interactive shell that has the terminal; `console` is the process that it runs in the foreground."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (40, 120))
        self.out, self.answers = b"", True
        environment = {**os.environ, "TERM": "xterm-256color", "PS1": PROMPT.decode(), "HISTFILE": ""}
        environment.pop("TMUX", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHELL],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environment,
            start_new_session=True,
        )
        self.read_on()

    async def prompt(self) -> None:
        """Until the shell asks for a command, on the terminal as it was at first."""
        await until(lambda: self.out.endswith(PROMPT))
        self.out = b""

    @property
    def console(self) -> int:
        return child_of(self.process.pid)

    def cooked(self) -> bool:
        lines = termios.tcgetattr(self.slave)[3]
        return bool(lines & termios.ICANON) and bool(lines & termios.ECHO)


Shell = tuple[ShellTerm, FakeStation]


@pytest.fixture(params=[CONSOLE, GUARDED], ids=["alone", "guarded"])
async def shell(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shell]:
    """A console that a shell started."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    (tmp_path / "console.py").write_text(request.param)
    term = ShellTerm()
    await term.prompt()
    term.press(f"PYTHONPATH={os.getcwd()} {sys.executable} {tmp_path}/console.py {station.path}\n".encode())
    await until(lambda: b"HUMAN" in term.out and len(station.hellos) == 2)
    await asyncio.sleep(0.3)
    yield term, station
    os.killpg(term.console, signal.SIGKILL) if _runs(term) else None
    term.close()
    await station.die()


def _runs(term: ShellTerm) -> bool:
    children = Path(f"/proc/{term.process.pid}/task/{term.process.pid}/children").read_text()
    return bool(children.split())


async def hears(term: ShellTerm, station: FakeStation) -> None:
    stops = len(station.stops)
    term.press(b"x")
    await until(lambda: len(station.stops) == stops + 1, 2.0)


def threads(term: ShellTerm) -> int:
    """How many the console itself has: one of them reads keys."""
    return len(os.listdir(f"/proc/{itself(term)}/task"))


def itself(term: ShellTerm) -> int:
    """The console's process, below its parent where it has one."""
    below = Path(f"/proc/{term.console}/task/{term.console}/children").read_text().split()
    return int(below[0]) if below else term.console


async def back_on(term: ShellTerm) -> None:
    """In the foreground again, the whole screen drawn."""
    term.out = b""
    term.press(b"fg\n")
    await until(lambda: ENTER_SCREEN in term.out)
    await until(lambda: all(word in term.out.partition(ENTER_SCREEN)[2] for word in (b"HUMAN", b"workers")))
    await asyncio.sleep(0.3)
    assert not term.cooked()


async def test_a_console_whose_group_is_stopped_leaves_first(shell: Shell) -> None:
    term, station = shell
    os.killpg(term.console, signal.SIGTSTP)
    await until(lambda: term.out.endswith(PROMPT))
    assert LEAVE_SCREEN in term.out and term.cooked()
    await back_on(term)
    await hears(term, station)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
async def test_a_stopped_console_leaves_the_terminal_to_the_shell_and_returns(
    shell: Shell, number: signal.Signals
) -> None:
    term, station = shell
    await hears(term, station)
    guarded, before = itself(term) != term.console, threads(term)
    for _ in range(2):
        os.kill(itself(term), number)
        await until(lambda: term.out.endswith(PROMPT))
        if number == signal.SIGTSTP or guarded:  # nobody could mend what SIGSTOP leaves of an unguarded one
            assert LEAVE_SCREEN in term.out
        await back_on(term)
        await hears(term, station)
    assert threads(term) <= before + LOOPS_OWN
    term.out = b""
    os.kill(term.console, signal.SIGTERM)
    await until(lambda: term.out.endswith(PROMPT))
    assert term.cooked()
    assert RESTORE not in term.out and not TRACEBACK.search(term.out)


async def test_a_console_that_is_told_to_go_on_without_having_stopped_does(shell: Shell) -> None:
    term, station = shell
    await hears(term, station)
    before = threads(term)
    for _ in range(3):
        os.killpg(term.console, signal.SIGCONT)
        await asyncio.sleep(0.4)
    await hears(term, station)
    assert threads(term) <= before + LOOPS_OWN
    os.kill(term.console, signal.SIGTERM)
    await until(lambda: term.out.endswith(PROMPT))
    assert term.cooked()
    assert not TRACEBACK.search(term.out)


async def test_sigcont_while_it_leaves_prints_nothing(shell: Shell) -> None:
    """As a shell's `kill` of a job sends it, and a closing terminal."""
    term, _ = shell
    term.out = b""
    group = term.console
    os.killpg(group, signal.SIGTERM)
    while not term.out.endswith(PROMPT):
        try:
            os.killpg(group, signal.SIGCONT)
        except ProcessLookupError:
            break
        await asyncio.sleep(0.01)
    await until(lambda: term.out.endswith(PROMPT))
    assert term.cooked()
    assert not TRACEBACK.search(term.out), term.out[-3000:]
