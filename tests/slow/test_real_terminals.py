"""The console in real terminals: xterm and kitty on a virtual display, by ssh too. Pictures are left in tmp_path.

The terminals draw, xdotool presses and lets go keys as a keyboard does, the arm is simulated. What is shown is what
the terminal says that it shows.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.test_guarding import GUARDED, child_of
from tests.emulators.real_terminals import Display, Sshd, Window, needs, shell_line
from tests.emulators.tcp_proxy import TcpProxy
from tests.station.console import Console
from tests.station.test_find_limits import ROOT, started, task_file
from tests.station.test_held_keys import assert_still, watched
from tests.station.test_run import until
from tests.transport.linked import free_port
from workers.model import commands as c
from workers.model import events as e

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
KINDS = pytest.mark.parametrize("kind", ["xterm", "kitty"])
RUN = "sim_pick_lift-limits"
RELEASED_WITHIN_S, ATTACHED_WITHIN_S = 0.6, 1.0
MODES = """
import json, os, re, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
asked = (7, 25, 1000, 1002, 1003, 1004, 1006, 1016, 1049, 2004, 2026, 2048)
os.write(1, b"".join(b"\\x1b[?%d$p" % mode for mode in asked) + b"\\x1b[?u\\x1b[c")
reply = b""
while not re.search(rb"\\x1b\\[\\?[\\d;]*c", reply):
    reply += os.read(0, 4096)
termios.tcsetattr(0, termios.TCSANOW, before)
modes = sorted(found.decode() for found in re.findall(rb"\\x1b\\[\\?[\\d;]+(?:\\$y|u)", reply))
with open(sys.argv[1] + "~", "w") as out:
    json.dump([modes, str(before[:4])], out)
os.rename(sys.argv[1] + "~", sys.argv[1])
"""


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    needs("Xvfb", "xdotool")
    (tmp_path / "pixels").mkdir()
    display = Display(tmp_path / "pixels")
    yield display
    display.picture(tmp_path / "at_the_end.png")
    display.close()


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[FakeStation]:
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    yield station
    await station.die()


def console_line(folder: Path, station: FakeStation) -> str:
    """For a shell: the console at this station."""
    code = folder / "console.py"
    code.write_text(GUARDED)
    return shell_line([sys.executable, code, station.path], PYTHONPATH=ROOT, XDG_CONFIG_HOME=folder)


@KINDS
async def test_train_is_on_the_screen(
    kind: str, display: Display, station: FakeStation, tmp_path: Path
) -> None:
    needs(kind)
    before = display.colours()
    window = Window(display, kind, ["sh", "-c", console_line(tmp_path, station)], tmp_path)
    try:
        await asyncio.to_thread(window.until_shown, "HUMAN", "demonstrations")
        window.key("2")
        text = await asyncio.to_thread(window.until_shown, "end effector", "intervention", "workers")
        for words in ("HUMAN", "episodes", "replay", "learner", "STOP", "╭─ log", "╰"):
            assert words in text
        assert all(len(line.rstrip()) <= 120 for line in text.splitlines())
        assert display.colours() > before + 8, "pictures of two cameras"
        window.key("question")
        await asyncio.to_thread(window.until_shown, "driving (while")
    finally:
        window.close()


async def modes(window: Window, folder: Path) -> object:
    """What the terminal says of its modes and the keyboard's, and its driver of its own."""
    (folder / "modes.py").write_text(MODES)
    found = folder / "modes.json"
    found.unlink(missing_ok=True)
    window.line(f"{sys.executable} {folder}/modes.py {found}")
    until_s = time.monotonic() + 20.0
    while not found.exists():
        assert time.monotonic() < until_s, window.text()
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.3)  # until the shell asks again
    return json.loads(found.read_text())


async def typed(window: Window, folder: Path) -> str:
    """What a program reads when a letter, an arrow and the mouse are used."""
    window.line(f"cat -v > {folder}/typed")
    await asyncio.sleep(0.3)
    window.key("a", "Up")
    window.display.do("mousemove", 200, 200, "click", 1, "click", 4)
    window.key("b", "Return", "ctrl+d")
    await asyncio.sleep(0.5)
    return (folder / "typed").read_text()


async def until_gone(pid: int) -> None:
    until_s = time.monotonic() + 10.0
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until_s
        await asyncio.sleep(0.05)


@KINDS
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
async def test_the_terminal_is_as_it_was(
    kind: str, number: signal.Signals, display: Display, station: FakeStation, tmp_path: Path
) -> None:
    needs(kind, "bash")
    (tmp_path / "rc").write_text("PS1='ready> '\nunset HISTFILE\n")
    window = Window(display, kind, ["bash", "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"], tmp_path)
    try:
        await asyncio.to_thread(window.until_shown, "ready>")
        before = await modes(window, tmp_path)
        assert await typed(window, tmp_path) == "a^[[Ab\n"
        (tmp_path / "go").write_text(f"echo $$ > {tmp_path}/pid; {console_line(tmp_path, station)}")
        window.line(f"sh {tmp_path}/go")
        await asyncio.to_thread(window.until_shown, "HUMAN", "demonstrations")
        parent = int((tmp_path / "pid").read_text())
        os.kill(child_of(parent), number)
        await until_gone(parent)
        says = "killed (SIGKILL)" if number == signal.SIGKILL else ""
        text = await asyncio.to_thread(window.until_shown, "ready>", says)
        assert "demonstrations" not in text and "Traceback" not in text
        assert await modes(window, tmp_path) == before
        assert await typed(window, tmp_path) == "a^[[Ab\n"
    finally:
        window.close()


class Survey:
    """A run on the simulator in which a person at a terminal drives, and somebody who only watches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = started(
            task_file(folder, ('lost = "continue"', 'lost = "hold"')),
            "--operator=person",
            "--warmup-s=0",
            "--serve",
        )
        self.watcher: Console

    async def begins(self) -> None:
        self.watcher = await Console.attach(self.folder / RUN, limit_s=60.0)
        await self.watcher.send(c.StartRun())
        await until(self.watcher, lambda: "space takes the arm" in self.watcher.state.control.reason)

    @property
    def attaches(self) -> str:
        """For a shell: a console at this run."""
        command = [sys.executable, "-m", "hilserl_tui.cli", "attach", RUN]
        return shell_line(command, PYTHONPATH=ROOT, XDG_RUNTIME_DIR=self.folder, XDG_CONFIG_HOME=self.folder)

    async def takes_the_arm(self, window: Window) -> None:
        """The person at the window."""
        control = self.watcher.state.control
        await until(self.watcher, lambda: self.watcher.state.control.attached == 2, 20.0)
        await watched(self.watcher, 1.0)
        window.key("g")
        await until(self.watcher, lambda: self.watcher.state.control.holder not in ("", "test"), 10.0)
        window.key("space")
        await until(self.watcher, lambda: self.watcher.state.control.driver is e.Driver.HUMAN, 20.0)
        await watched(self.watcher, 0.5)
        assert control is not self.watcher.state.control

    async def released_s(self) -> float:
        """When the person had the arm no more."""
        await until(self.watcher, lambda: not self.watcher.state.control.taken, 10.0)
        return time.monotonic()

    @property
    def y_m(self) -> float:
        return self.watcher.state.arm.ee_m[1]

    async def goes(self) -> None:
        from_m = self.y_m
        await until(self.watcher, lambda: abs(self.y_m - from_m) > 0.02, 10.0)


@pytest.fixture
async def survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Survey]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    survey = Survey(tmp_path)
    try:
        await survey.begins()
        yield survey
    finally:
        survey.process.kill()


async def test_a_key_held_in_kitty_moves_the_arm_until_it_is_let_go_or_the_window_left(
    display: Display, survey: Survey, tmp_path: Path
) -> None:
    needs("kitty", "xterm")
    window = Window(display, "kitty", ["sh", "-c", survey.attaches], tmp_path)
    other = None
    try:
        await survey.takes_the_arm(window)
        assert "jog: hold" in await asyncio.to_thread(window.text)
        window.down("Left")
        await survey.goes()
        let_go_s = window.up("Left")
        assert_still(await watched(survey.watcher, 1.2), let_go_s)
        assert survey.watcher.state.control.driver is e.Driver.HUMAN
        other = Window(display, "xterm", ["sleep", "60"], tmp_path, size=(20, 4))
        window.focus()
        await watched(survey.watcher, 0.3)
        window.down("Right")
        await survey.goes()
        other.focus()
        left_s = time.monotonic()
        assert_still(await watched(survey.watcher, 1.2), left_s)
        window.focus()
        assert_still(
            await watched(survey.watcher, 1.2), left_s
        )  # the key is still down: it must be pressed anew
        window.up("Right")
    finally:
        window.close()
        if other is not None:
            other.close()


async def test_a_key_held_in_xterm_is_steps_and_the_screen_says_so(
    display: Display, survey: Survey, tmp_path: Path
) -> None:
    needs("xterm")
    window = Window(display, "xterm", ["sh", "-c", survey.attaches], tmp_path)
    try:
        await survey.takes_the_arm(window)
        assert "jog: step" in await asyncio.to_thread(window.text)
        from_m = survey.y_m
        window.key("Left")
        await watched(survey.watcher, 1.0)
        assert survey.y_m - from_m == pytest.approx(0.01, abs=0.003)
        stopped_s = time.monotonic()
        window.key("x")
        await until(survey.watcher, lambda: survey.watcher.state.control.stopped, 2.0)
        assert time.monotonic() - stopped_s < 0.3
    finally:
        window.close()


@KINDS
async def test_the_arm_is_released_when_ssh_is_cut_and_a_new_console_is_there_soon(
    kind: str, display: Display, survey: Survey, tmp_path: Path
) -> None:
    needs(kind, "ssh", "ssh-keygen", "sshd")
    port = free_port()
    sshd, proxy, windows = Sshd(tmp_path / "ssh", port), TcpProxy(port), []
    await proxy.start()
    try:
        for cut in (proxy.cut, proxy.black_hole):
            command = sshd.client(proxy.port, f"date +%s.%N > {tmp_path}/began; {survey.attaches}")
            windows.append(Window(display, kind, command, tmp_path))
            await until(survey.watcher, lambda: survey.watcher.state.control.attached == 2, 20.0)
            assert time.time() - float((tmp_path / "began").read_text()) <= ATTACHED_WITHIN_S
            await survey.takes_the_arm(windows[-1])
            windows[-1].key("Left")
            await watched(survey.watcher, 0.5)
            cut()
            cut_s = time.monotonic()
            assert await survey.released_s() - cut_s <= RELEASED_WITHIN_S
            assert_still(await watched(survey.watcher, 1.2), cut_s)
            assert survey.watcher.state.arm.mode is e.GateMode.HOLD
            proxy.restore()
            windows[-1].close()
            await until(survey.watcher, lambda: survey.watcher.state.control.attached == 1, 20.0)
    finally:
        for window in windows:
            window.close()
        await proxy.stop()
        sshd.close()
