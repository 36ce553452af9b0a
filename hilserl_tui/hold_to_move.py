"""Hold to move: the way of held keys from the terminal to the station, beside the event loop.

Three conditions, all needed: the key is down, the window has the focus, and the terminal has answered within 300 ms.
What is held is said 20 times a second, by the input thread on a connection of its own, and is valid for 150 ms: a
console that dies with a key down stops the arm by saying nothing. Elsewhere a press is one bounded step.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping

from textual import constants, events

from hilserl_tui.held_keys import STILL, HeldKeys, Means
from hilserl_tui.key_phases import Key
from hilserl_tui.pace import Pacer
from workers.model.commands import Axis, Drive

SAY_AGAIN_S = 0.05
ANSWERED_WITHIN_S = 0.3
SLOW_LINE_MS = 200.0  # a release takes half of that: steps are the better way to drive then
IN_BETWEEN = (
    "TMUX",
    "STY",
    "ZELLIJ",
)  # they answer in the terminal's place, so that a dead line goes unnoticed


def may_hold(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal is to be asked for releases here."""
    return not constants.DISABLE_KITTY_KEY and not any(environment.get(name) for name in IN_BETWEEN)


class HoldToMove:
    """The keys of one terminal that are held, and what the station is told of them.

    Args:
        send: hands what is held to the station, from any thread; False when it could not.
        wanted: ask the terminal for releases at all; else every press is a step.
    """

    def __init__(
        self,
        pacer: Pacer,
        send: Callable[[Drive], bool],
        wanted: bool,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wanted = wanted
        self.releases = False
        """The terminal said that it tells when a key is let go. Set in the input thread."""
        self._pacer, self._send, self._clock_s = pacer, send, clock_s
        self._keys = HeldKeys()
        self._lock = threading.Lock()  # keys come in the input thread, their actions in the event loop
        self._said, self._said_s = STILL, 0.0

    @property
    def holds(self) -> bool:
        """Whether a key that is pressed now moves the arm for as long as it is held."""
        answered_s, link_ms = self._pacer.answered_s, self._pacer.link_ms
        if not self.releases or answered_s is None or link_ms is None:
            return False
        return self._clock_s() - answered_s <= ANSWERED_WITHIN_S and link_ms <= SLOW_LINE_MS

    @property
    def moving(self) -> bool:
        """Whether keys move the arm now, or would if opposite ones were not down too."""
        with self._lock:
            return self._keys.drive

    def press(self, code: str) -> None:
        """In the input thread: a key went down, of which nobody knows yet what it does."""
        if self.releases:
            with self._lock:
                self._keys.press(code)
                self._say()

    def release(self, code: str) -> None:
        """In the input thread: a key was let go."""
        with self._lock:
            self._keys.release(code)
            self._say()

    def ask(self, key: events.Key | None, axis: Axis, direction: int) -> Means:
        """In the event loop: the action of a key (None: of the palette) is to move along `axis`; it begins now."""
        if not isinstance(key, Key) or not self.releases:
            return Means.STEP
        with self._lock:
            means = self._keys.ask(key.code, key.phase, axis, direction, self.holds)
            self._say()
            return means

    def spend(self) -> None:
        """What is held moves nothing any more, until it is pressed anew. From any thread."""
        with self._lock:
            self._keys.spend()
            self._say()

    def keep_up(self) -> float | None:
        """In the input thread, at least as often as it says: seconds until the next time, None while no key is down."""
        with self._lock:
            if not self._keys:
                return None
            if not self._keys.drive:
                return SAY_AGAIN_S
            silent_s = self._clock_s() - self._said_s
            did_not_run = silent_s > ANSWERED_WITHIN_S
            if did_not_run or not self.holds:
                self._keys.spend()
            self._say(again=silent_s >= SAY_AGAIN_S)
            return max(0.001, self._said_s + SAY_AGAIN_S - self._clock_s())

    def _say(self, again: bool = False) -> None:
        motion = self._keys.motion()
        if motion == self._said and not (again and self._keys.drive):
            return
        self._said, self._said_s = motion, self._clock_s()
        if not self._send(Drive(motion[:3], motion[3], self._said_s)):
            self._keys.spend()
            self._said = STILL
