"""Display keyboard worker: keys of the robot PC's own display, through pynput, with real key release.

The right control key has the arm for as long as it is held, and only with it the other keys count, which are the
console's own: what is typed into other windows is heard too, and must do nothing. A key that is held moves the arm,
letting go stops it. The stop key is the console's alone, which has a way of its own to the arm.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from workers.config import Config
from workers.model.commands import Verdict
from workers.robot.board import Board
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.teleop.device import DeviceWriter

READ_HZ = 100.0
BOUNCE_S = 0.03  # X11 repeats a held key as release and press at once: a release counts when no press follows
OPEN_AGAIN_S = 5.0
HOLD = "ctrl_r"
MOTION: dict[str, tuple[int, float]] = {
    "up": (0, 1.0), "down": (0, -1.0), "left": (1, 1.0), "right": (1, -1.0),
    "u": (2, 1.0), "page_up": (2, 1.0), "j": (2, -1.0), "page_down": (2, -1.0),
}  # fmt: skip
"""Axis of the motion, and direction."""
GRIPPER = {"[": -1.0, "]": 1.0}
VERDICTS = {"s": Verdict.SUCCESS, "f": Verdict.FAILURE, "r": Verdict.RERECORD}
log = logging.getLogger(__name__)


class NoDisplay(Exception):
    """There are no keys to listen to; the text is for the operator, `short` the same in 64 bytes."""

    def __init__(self, text: str, short: str) -> None:
        super().__init__(text)
        self.short = short


def main(desk: Desk, config: Config, board: Board) -> None:
    """Until told to quit; without a display it says why, and tries again."""
    writer = DeviceWriter(board.teleop, "display keys")
    pacer = Pacer(desk.name, 1.0 / READ_HZ)
    worker = DisplayKeyboard(config.env.teleop.jog_step, writer)
    while desk.alive():
        desk.next_order()  # Quit is the only order; `alive` then says no
        worker.tick()
        pacer.wait()
    worker.close()


class HeldKeys:
    """Which keys are down, from the presses and releases of another thread; verdicts count while HOLD is down."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._released_s: dict[str, float | None] = {}  # None while the key is down
        self._verdicts: list[Verdict] = []

    def press(self, key: str) -> None:
        """A key went down, or repeats."""
        with self._lock:
            if key in VERDICTS and self._is_held(HOLD) and not self._is_held(key):
                self._verdicts.append(VERDICTS[key])
            self._released_s[key] = None

    def release(self, key: str) -> None:
        with self._lock:
            self._released_s[key] = self._clock()

    def held(self) -> set[str]:
        with self._lock:
            return {key for key in self._released_s if self._is_held(key)}

    def take_verdicts(self) -> list[Verdict]:
        """Verdicts pressed since the last call."""
        with self._lock:
            verdicts, self._verdicts = self._verdicts, []
        return verdicts

    def _is_held(self, key: str) -> bool:
        if key not in self._released_s:
            return False
        released_s = self._released_s[key]
        return released_s is None or self._clock() - released_s < BOUNCE_S


class DisplayKeyboard:
    """Keys of the display and the record that the actor reads; a tick reads and writes.

    Args:
        share: how much of one action unit a held key moves the arm.
        load: brings `pynput.keyboard`; tests bring their own.
    """

    def __init__(
        self,
        share: float,
        writer: DeviceWriter,
        load: Callable[[], Any] | None = None,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share, self._writer, self._clock = share, writer, clock
        self._load = _pynput if load is None else load
        self._environment = environment
        self._listener: Any = None
        self._keys = HeldKeys(clock)
        self._open_at_s = 0.0
        self._trouble, self._short = "", ""

    def tick(self) -> None:
        """Listen, or try to; write what is held."""
        try:
            if self._listener is None:
                self._open()
            elif not self._listener.is_alive():
                self._listener = None
                raise NoDisplay("the display is gone: its keys move nothing any more", "the display is gone")
        except NoDisplay as why:
            if str(why) != self._trouble:
                log.warning("%s", why)
            self._trouble, self._short = str(why), why.short
        if self._listener is None:
            self._writer.gone(self._short)
        else:
            self._write()

    def close(self) -> None:
        """Nobody drives by these keys any more."""
        self._writer.gone("its worker has ended")
        if self._listener is not None:
            self._listener.stop()

    def _open(self) -> None:
        if self._clock() < self._open_at_s:
            return
        self._open_at_s = self._clock() + OPEN_AGAIN_S
        refuse_without_display(self._environment)
        keyboard = self._load()
        self._keys = HeldKeys(self._clock)
        try:
            listener = keyboard.Listener(
                on_press=lambda key: self._keys.press(name_of(key)),
                on_release=lambda key: self._keys.release(name_of(key)),
            )
            listener.start()
            listener.wait()
        except Exception as error:  # whatever the display's own library raises
            text = f"the display's keys cannot be heard: {error}. Drive by the console's keys instead"
            raise NoDisplay(text, "the display's keys cannot be heard") from error
        self._listener, self._trouble = listener, ""
        log.info("listening to the keys of the display")

    def _write(self) -> None:
        held = self._keys.held()
        held = held if HOLD in held else set()
        for verdict in self._keys.take_verdicts():
            self._writer.press(verdict)
        motion = np.zeros(3)
        for axis, direction in (MOTION[key] for key in held & MOTION.keys()):
            motion[axis] += direction * self._share
        gripper = sum(GRIPPER[key] for key in held & GRIPPER.keys())
        self._writer.write(bool(held), motion, gripper)


def refuse_without_display(environment: Mapping[str, str]) -> None:
    """Raise NoDisplay where key releases cannot be had, or could get lost on the way."""
    instead = 'Set env.teleop.type = "keyboard" to drive by the console\'s keys, from any terminal'
    if sys.platform != "linux":
        return
    if environment.get("WAYLAND_DISPLAY"):
        text = f"Wayland lets no program listen to the keys. Log in to an X11 session, or: {instead}"
        raise NoDisplay(text, "Wayland: no keys to be heard, use X11")
    display = environment.get("DISPLAY", "")
    if not display:
        raise NoDisplay(f"there is no display here (DISPLAY is not set). {instead}", "no display (DISPLAY)")
    if not display.startswith((":", "unix:")):
        text = (
            f"the display {display} is on another machine: a key that is let go while the link stalls would go on"
            f" moving the arm. {instead}"
        )
        raise NoDisplay(text, "the display is on another machine")


def name_of(key: Any) -> str:
    """A key as the tables name it: a character, or pynput's name of a special key."""
    character = getattr(key, "char", None)
    return character.lower() if isinstance(character, str) else str(getattr(key, "name", ""))


def _pynput() -> ModuleType:
    try:
        from pynput import keyboard
    except ImportError as error:
        text = f"pynput cannot be loaded ({error}). `pip install 'hilserl-tui[display]'` brings it"
        raise NoDisplay(text, "pynput cannot be loaded, see the log") from error
    module: ModuleType = keyboard
    return module
