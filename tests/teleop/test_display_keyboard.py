"""Keys of the display, on a stand-in for pynput: held moves, let go stops, and where there is no display, why."""

import multiprocessing
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from workers.robot.board import TELEOP_STATE
from workers.runtime.shared import SharedNewest
from workers.teleop import display_keyboard
from workers.teleop.device import DeviceReader, DeviceWord, DeviceWriter
from workers.teleop.display_keyboard import DisplayKeyboard, NoDisplay, refuse_without_display

CONTEXT = multiprocessing.get_context("spawn")


class Listener:
    """pynput's listener, fed by the test."""

    newest: "Listener"

    def __init__(self, on_press: Callable[[Any], None], on_release: Callable[[Any], None]) -> None:
        self.on_press, self.on_release = on_press, on_release
        self.alive = False
        Listener.newest = self

    def start(self) -> None:
        self.alive = True

    def wait(self) -> None: ...
    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None:
        self.alive = False


def special(name: str) -> Any:
    return types.SimpleNamespace(name=name)


def letter(char: str) -> Any:
    return types.SimpleNamespace(char=char)


def hold() -> Listener:
    """Hold the key that has the arm."""
    Listener.newest.on_press(special("ctrl_r"))
    return Listener.newest


class Bench:
    def __init__(self, load: Callable[[], Any] | None = None, **environment: str) -> None:
        self.now_s = 100.0
        block = SharedNewest(CONTEXT, TELEOP_STATE)
        self._reader = DeviceReader(block, lambda: round(self.now_s * 1e9))
        self.worker = DisplayKeyboard(
            0.5,
            DeviceWriter(block, "display keys", lambda: round(self.now_s * 1e9)),
            load or (lambda: types.SimpleNamespace(Listener=Listener)),
            environment or {"DISPLAY": ":0"},
            lambda: self.now_s,
        )
        self.tick()

    def tick(self, after_s: float = 0.01) -> DeviceWord:
        self.now_s += after_s
        self.worker.tick()
        return self._reader.read()


def test_a_held_key_moves_and_letting_go_stops() -> None:
    bench = Bench()
    keys = hold()
    assert bench.tick().live and not bench.tick().moves
    keys.on_press(special("up"))
    keys.on_press(letter("J"))
    word = bench.tick()
    assert word.intervene and word.motion.tolist() == [0.5, 0.0, -0.5]
    keys.on_release(special("up"))
    assert bench.tick(0.04).motion.tolist() == [0.0, 0.0, -0.5]
    keys.on_release(letter("j"))
    assert bench.tick(0.04).intervene and not bench.tick().moves
    keys.on_release(special("ctrl_r"))
    assert not bench.tick(0.04).intervene


def test_what_is_typed_into_other_windows_does_nothing() -> None:
    bench = Bench()
    for char in "just for fun []":
        Listener.newest.on_press(letter(char))
        word = bench.tick()
        Listener.newest.on_release(letter(char))
        assert not word.intervene and not word.moves and word.presses == (0, 0, 0)


def test_a_repeating_key_is_one_that_is_held() -> None:
    """X11 tells a held key as release and press at once, thirty times a second."""
    bench = Bench()
    keys = hold()
    keys.on_press(special("left"))
    for _ in range(30):
        keys.on_release(special("left"))
        assert bench.tick(0.001).moves, "between the release and the press"
        keys.on_press(special("left"))
        assert bench.tick(0.03).moves


def test_opposite_keys_stand_still() -> None:
    bench = Bench()
    for name in ("up", "down"):
        hold().on_press(special(name))
    word = bench.tick()
    assert word.intervene and not word.moves


def test_the_gripper_and_the_verdicts() -> None:
    bench = Bench()
    keys = hold()
    keys.on_press(letter("["))
    assert bench.tick().gripper == -1.0
    for _ in range(3):  # it repeats
        keys.on_press(letter("s"))
    keys.on_press(letter("r"))
    keys.on_press(letter("z"))
    word = bench.tick()
    assert word.presses == (1, 0, 1)


def test_a_display_that_goes_away_moves_nothing_and_is_looked_for_again() -> None:
    bench = Bench()
    first = hold()
    first.on_press(special("up"))
    assert bench.tick().moves
    first.alive = False
    word = bench.tick()
    assert word.lost and not word.moves and word.reason == "the display is gone"
    assert bench.tick(5.1).live and Listener.newest is not first
    assert not bench.tick().moves, "what was held then is forgotten"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HOME": "/"}, "no display here"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "X11 session"),
        ({"DISPLAY": "localhost:10.0"}, "on another machine"),
    ],
)
def test_where_no_release_can_be_heard_it_says_so(environment: dict[str, str], said: str) -> None:
    with pytest.raises(NoDisplay, match=said) as caught:
        refuse_without_display(environment)
    assert 'env.teleop.type = "keyboard"' in str(caught.value)
    bench = Bench(**environment)
    word = bench.tick()
    assert word.lost and word.reason == caught.value.short and len(word.reason) < 64


def test_without_pynput_it_says_how_to_get_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynput", None)  # as if it was not installed
    bench = Bench(load=display_keyboard._pynput)
    assert bench.tick().reason == "pynput cannot be loaded, see the log"
    assert "pip install 'hilserl-tui[display]'" in caplog.messages[0] and len(caplog.messages) == 1


def test_a_display_that_refuses_is_no_crash() -> None:
    class Refusing(Listener):
        def start(self) -> None:
            raise RuntimeError("no RECORD extension")

    bench = Bench(load=lambda: types.SimpleNamespace(Listener=Refusing))
    assert bench.tick().reason == "the display's keys cannot be heard"
