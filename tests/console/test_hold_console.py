"""Driving by keys that are held: the real console on a pseudo-terminal that speaks the kitty keyboard protocol.

The terminal here keeps the protocol's stack of flags and sends what kitty sends; it is no kitty.
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hilserl_tui.guarding import RESTORE
from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.small_terminal import SmallTerminal
from tests.console.test_driver import CONSOLE, PROBE, FakeTerm, until
from tests.console.test_guarding import GUARDED, child_of
from workers.model import commands as c
from workers.model import events as e

FLAGS = re.compile(rb"\x1b\[(?:>(\d+)u|=(\d+);([123])u|(<)\d*u|(\?)u)")
KEYS = {
    "up": ("", "1", "A"),
    "left": ("", "1", "D"),
    "u": ("117;;117", "117", "u"),
    "f": ("102;;102", "102", "u"),
}
KEYS["["] = ("91;;91", "91", "u")
STEPS = CONSOLE.replace("start_run=True", 'start_run=True, preferences=Preferences(jog="step")').replace(
    "app = ", "from hilserl_tui.preferences import Preferences\napp = "
)
OWN_KEYS = CONSOLE.replace(
    "start_run=True", 'start_run=True, preferences=Preferences(keys={"raise": "k", "forward": "h"})'
).replace("app = ", "from hilserl_tui.preferences import Preferences\napp = ")


class KittyTerm(FakeTerm):
    """A terminal that tells releases; `knows` are the flags that it has."""

    knows = 31

    def __init__(self, path, code: str = CONSOLE, knows: int = 31) -> None:
        self.stack = [0]
        self.knows = knows
        self._seen = 0
        self._screen, self._shown = SmallTerminal(), 0
        self._rows: list[str] = []
        super().__init__(path, code)

    @property
    def flags(self) -> int:
        return self.stack[-1]

    def _read(self) -> None:
        super()._read()
        for told in FLAGS.finditer(self.out, self._seen):
            self._seen = told.end()
            push, change, mode, pop, ask = told.groups()
            if push:
                self.stack.append(int(push) & self.knows)
            elif change:
                wanted = int(change) & self.knows
                now = {1: wanted, 2: self.flags | wanted, 3: self.flags & ~wanted}[int(mode)]
                self.stack[-1] = now
            elif pop and len(self.stack) > 1:
                self.stack.pop()
            elif ask and self.answers:
                os.write(self.master, b"\x1b[?%du" % self.flags)

    def shows(self, words: str) -> bool:
        """On its screen: only cells that change are written, so that words may never stand together in the output."""
        if len(self.out) > self._shown:
            self._screen.receive(self.out[self._shown :])
            self._shown, self._rows = len(self.out), self._screen.text(120, 40)
        return any(words in row for row in self._rows)

    def down(self, key: str) -> float:
        press, _, end = KEYS[key]
        return self.press(f"\x1b[{press}{end}".encode())

    def repeat(self, key: str) -> float:
        press, number, end = KEYS[key]
        text = press.partition(";;")[2]
        return self.press(f"\x1b[{number};1:2{';' + text if text else ''}{end}".encode())

    def up(self, key: str) -> float:
        _, number, end = KEYS[key]
        return self.press(f"\x1b[{number};1:3{end}".encode())


async def opened(
    tmp_path, code: str = CONSOLE, knows: int = 31, jog: str = "jog: hold"
) -> tuple[KittyTerm, FakeStation]:
    station = FakeStation(tmp_path / "s", demo.training(e.Driver.HUMAN))
    await station.start()
    term = KittyTerm(station.path, code, knows)
    await until(lambda: b"HUMAN" in term.out and len(station.hellos) == 2)
    await until(lambda: term.shows(jog))  # the terminal has answered, and its answers are on the screen
    return term, station


@pytest.fixture
async def console(tmp_path) -> AsyncIterator[tuple[KittyTerm, FakeStation]]:
    term, station = await opened(tmp_path)
    yield term, station
    term.close()
    await station.die()


def motions(station: FakeStation) -> list[tuple[int, ...]]:
    """What was held, one after the other, without what was only said again."""
    found: list[tuple[int, ...]] = []
    for _, drive in station.drives:
        assert isinstance(drive, c.Drive)
        now = (*drive.motion, drive.gripper)
        if not found or found[-1] != now:
            found.append(now)
    return found


async def test_a_held_key_is_said_until_it_is_let_go_and_no_step_is_sent(console) -> None:
    term, station = console
    pressed_s = term.down("up")
    await until(lambda: station.drives, 2.0)
    assert station.drives[0][0] - pressed_s < 0.3
    for _ in range(10):
        await asyncio.sleep(0.04)
        term.repeat("up")
    released_s = term.up("up")
    await until(lambda: motions(station) == [(1, 0, 0, 0), (0, 0, 0, 0)], 2.0)
    said = [at for at, drive in station.drives if isinstance(drive, c.Drive) and drive.moves]
    assert 5 <= len(said) <= 14, "20 a second for 0.4 s, repeats or not"
    assert station.drives[-1][0] - released_s < 0.15
    number = len(station.drives)
    await asyncio.sleep(0.3)
    assert len(station.drives) == number, "nothing is said while nothing is held"
    assert station.commands == []
    assert term.shows("jog: hold")


async def test_two_keys_at_once_are_a_diagonal(console) -> None:
    term, station = console
    for act, key in ((term.down, "up"), (term.down, "u"), (term.up, "up"), (term.down, "["), (term.up, "u")):
        act(key)
        await asyncio.sleep(0.12)
    term.up("[")
    await until(lambda: len(motions(station)) == 6, 2.0)
    assert motions(station) == [
        (1, 0, 0, 0), (1, 0, 1, 0), (0, 0, 1, 0), (0, 0, 1, -1), (0, 0, 0, -1), (0, 0, 0, 0),
    ]  # fmt: skip


async def test_the_focus_going_elsewhere_ends_it_and_repeats_do_not_move_again(console) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    term.press(b"\x1b[O")
    await until(lambda: motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)
    term.press(b"\x1b[I")
    for _ in range(5):
        term.repeat("up")
        await asyncio.sleep(0.04)
    assert len(motions(station)) == 2 and station.commands == []
    term.up("up")
    term.down("up")
    await until(lambda: motions(station)[-1:] == [(1, 0, 0, 0)], 2.0)


async def test_a_terminal_that_falls_silent_ends_it_for_good(console) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    term.answers, silent_s = False, time.monotonic()
    await until(lambda: motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)
    assert station.drives[-1][0] - silent_s < 0.6
    term.answers = True
    os.write(term.master, b"\x1b[1;1R" * 2)
    await asyncio.sleep(0.5)
    for _ in range(5):
        term.repeat("up")
        await asyncio.sleep(0.04)
    assert len(motions(station)) == 2 and station.commands == []


async def test_a_terminal_that_takes_no_more_output_ends_it(console) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    term.stall()
    stalled_s = time.monotonic()
    await until(lambda: motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)
    assert station.drives[-1][0] - stalled_s < 0.6


async def test_the_stop_key_ends_it_and_a_key_that_is_still_down_moves_nothing_after(console) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    term.press(b"\x1b[120;;120u")
    await until(lambda: station.stops and motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)
    station.say(e.StopLatched("me"))
    await asyncio.sleep(0.2)
    station.say(e.StopCleared("me"), e.DriverChanged(e.Driver.HUMAN))
    await asyncio.sleep(0.2)
    term.repeat("up")
    await asyncio.sleep(0.2)
    assert len(motions(station)) == 2 and station.commands == []


@pytest.mark.parametrize(
    "event",
    [e.DriverChanged(e.Driver.POLICY), e.OperatorChanged(False, 2, "somebody else")],
    ids=["policy", "controls"],
)
async def test_whoever_loses_the_arm_moves_it_no_more(console, event: e.Event) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    station.say(event)
    await until(lambda: motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)


async def test_what_is_typed_drives_nothing(console) -> None:
    term, station = console
    term.press(b"\x1b[108;;108u\x1b[108;1:3u")  # l: the join screen, with its field
    await until(lambda: b"--pin PIN" in term.out, 3.0)
    await asyncio.sleep(0.2)
    for key in ("u", "up", "["):
        term.down(key)
        term.repeat(key)
    term.press(b"\x1b[200~uuu\x1b[A\x1b[201~")
    await asyncio.sleep(0.3)
    assert station.drives == [] and station.commands == []


async def test_what_is_pasted_drives_nothing(console) -> None:
    """Nor what a paste with escape sequences in it, or noise, leaves behind as plain characters."""
    term, station = console
    for text in (
        b"\x1b[200~uuu\x1b[201~",
        b"\x1b[200~u\x1b[Aj[]u\x1b[117;;117u]]\x1b[201~",
        b"uj[]uj",
        b"\x1b[0;;117u",
    ):
        term.press(text)
        await asyncio.sleep(0.2)
    assert station.drives == [] and not [one for one in station.commands if isinstance(one, c.Jog)]


async def test_going_to_another_screen_ends_it(console) -> None:
    term, station = console
    term.down("up")
    await until(lambda: station.drives, 2.0)
    term.press(b"\x1b[63;2;63u")  # ?: the keys
    await until(lambda: motions(station)[-1:] == [(0, 0, 0, 0)], 2.0)


async def test_a_key_that_ends_an_episode_acts_once_however_long_it_is_held(console) -> None:
    term, station = console
    term.down("f")
    for _ in range(8):
        term.repeat("f")
        await asyncio.sleep(0.02)
    term.up("f")
    await until(lambda: station.commands, 2.0)
    await asyncio.sleep(0.2)
    assert station.commands == [c.Mark(c.Verdict.FAILURE)]


async def drives_by_steps(term: KittyTerm, station: FakeStation) -> None:
    term.down("up")
    await until(lambda: station.commands, 2.0)
    assert isinstance(station.commands[0], c.Jog) and station.drives == []
    assert b"jog: step" in term.out and b"jog: hold" not in term.out
    term.close()
    await station.die()


async def test_steps_can_be_wished_for(tmp_path) -> None:
    term, station = await opened(tmp_path, STEPS, jog="jog: step")
    assert term.flags & 2 == 0
    await drives_by_steps(term, station)


async def test_a_terminal_without_releases_drives_by_steps(tmp_path) -> None:
    term, station = await opened(tmp_path, knows=25, jog="jog: step")
    assert term.flags == 25
    await drives_by_steps(term, station)


async def test_a_persons_own_keys_are_held_too(tmp_path) -> None:
    KEYS["k"], KEYS["h"] = ("107;;107", "107", "u"), ("104;;104", "104", "u")
    term, station = await opened(tmp_path, OWN_KEYS)
    for act, key in ((term.down, "k"), (term.down, "h"), (term.down, "u"), (term.up, "k"), (term.up, "h")):
        act(key)
        await asyncio.sleep(0.1)
    await until(lambda: len(motions(station)) == 4, 2.0)
    assert motions(station) == [(0, 0, 1, 0), (1, 0, 1, 0), (1, 0, 0, 0), (0, 0, 0, 0)]
    term.close()
    await station.die()


async def test_keys_are_plain_again_however_the_console_ends(tmp_path) -> None:
    term, station = await opened(tmp_path)
    assert term.flags & 2
    os.kill(term.process.pid, signal.SIGTERM)
    await until(lambda: term.process.poll() is not None, 5.0)
    await asyncio.sleep(0.1)
    assert term.stack == [0] and term.restored()
    term.close()
    await station.die()


async def test_the_release_of_the_last_key_is_not_left_for_the_shell(tmp_path) -> None:
    """A terminal that is a moment behind: what it sent before it heard that presses are enough is still read here."""
    term, station = await opened(tmp_path)
    os.kill(term.process.pid, signal.SIGTERM)
    term.up("u")
    await until(lambda: term.process.poll() is not None, 5.0)
    assert FLAGS.findall(term.out)[-3:] == [
        (b"", b"2", b"3", b"", b""),
        (b"", b"", b"", b"", b"?"),
        (b"", b"", b"", b"<", b""),
    ], "it waits for the terminal's word before it gives the keys back"
    term.close()
    await station.die()


async def test_on_a_cyrillic_layout_keys_drive_and_stop_by_their_place(console) -> None:
    term, station = console
    term.press(b"\x1b[1075::117;;1075u")  # the key of u
    await until(lambda: motions(station) == [(0, 0, 1, 0)])
    term.press(b"\x1b[1075::117;1:3u")
    await until(lambda: motions(station)[-1] == (0, 0, 0, 0))
    term.press(b"\x1b[1095::120;;1095u\x1b[1095::120;1:3u")
    await until(lambda: len(station.stops) == 1, 2.0)
    term.press(b"\x1b[1089::99;5u\x1b[1089::99;5:3u")  # ctrl+c
    await until(lambda: len(station.stops) == 2, 2.0)


async def test_a_killed_console_leaves_plain_keys(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    term, station = await opened(tmp_path, GUARDED, jog="HUMAN")
    await until(lambda: bool(term.flags & 2), 3.0)
    os.kill(child_of(term.process.pid), signal.SIGKILL)
    await until(lambda: term.process.poll() is not None, 5.0)
    await asyncio.sleep(0.1)
    assert RESTORE in term.out and term.stack == [0]
    term.close()
    await station.die()


async def test_a_stopped_console_gives_plain_keys_to_the_shell_and_asks_again(tmp_path) -> None:
    term, station = await opened(tmp_path)
    os.kill(term.process.pid, signal.SIGTSTP)
    await until(lambda: term.stack == [0], 3.0)
    stat = Path(f"/proc/{term.process.pid}/stat")
    await until(
        lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 3.0
    )  # as its shell waits for it
    os.kill(term.process.pid, signal.SIGCONT)
    await until(lambda: bool(term.flags & 2), 3.0)
    await asyncio.sleep(0.5)
    term.down("up")
    await until(lambda: station.drives, 3.0)
    term.close()
    await station.die()


def test_the_terminal_here_asks_and_answers_as_the_protocol_says() -> None:
    assert PROBE == b"\x1b[6n"
    found = FLAGS.findall(b"\x1b[>25u\x1b[=2;2u\x1b[?u\x1b[<u")
    assert [next(i for i, part in enumerate(one) if part) for one in found] == [0, 1, 4, 3]
