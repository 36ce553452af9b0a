"""Held keys: what the keys of the console's terminal ask for while they are down, judged by its age.

As of any device: a word is valid for 150 ms, so that the arm stops by itself when the console, its terminal or the
station cannot say any more that the keys were let go.
"""

import time
from collections.abc import Callable

from workers.model.commands import Drive
from workers.teleop.device import FRESH_NS

Asked = tuple[int, int, int, int]
"""-1, 0 or 1 along x, y, z, and of the gripper (-1 closes)."""
NOTHING: Asked = (0, 0, 0, 0)


class HeldKeys:
    """The newest word of the console."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._newest: Drive | None = None
        self._said_s = float("-inf")

    @property
    def down(self) -> bool:
        """Whether keys were held by the newest word, however old it is."""
        return self._newest is not None

    def take(self, drive: Drive) -> None:
        """Note a word, unless a newer one was noted before."""
        if drive.at_s >= self._said_s:
            self._said_s = drive.at_s
            self._newest = drive if drive.moves else None

    def forget(self) -> None:
        """Nothing is held until it is said anew."""
        self._newest = None

    def now(self) -> Asked:
        """What is asked for now; a word that is too old, or of a time to come, is forgotten."""
        if self._newest is None:
            return NOTHING
        if not 0.0 <= self._clock_s() - self._newest.at_s <= FRESH_NS / 1e9:
            self.forget()
            return NOTHING
        x, y, z = self._newest.motion
        return _sign(x), _sign(y), _sign(z), _sign(self._newest.gripper)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
