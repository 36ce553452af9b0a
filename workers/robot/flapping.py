"""Trouble that comes and goes: told when it begins and when it is over, and then once in ten seconds, with a count."""

from collections.abc import Callable
from typing import Final

from workers.model.events import Level

WINDOW_S: Final = 10.0
Say = Callable[[Level, str], None]


class Flapping:
    """One kind of trouble. What is said first is said at once."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._until_s = -float("inf")  # of the time in which it is not told again
        self._count = 0  # how often it came since it was last told
        self._on = self._told_on = False
        self._again = False  # it came more than once since the log was last quiet
        self._text, self._over, self._level = "", (Level.WARNING, ""), Level.WARNING

    def begins(self, level: Level, text: str, now_s: float) -> None:
        """The trouble is there."""
        self._on, self._level, self._text = True, level, text
        if now_s < self._until_s:
            self._count += 1
            self._again = True
            return
        self._until_s, self._told_on, self._again = now_s + WINDOW_S, True, False
        self._say(level, text)

    def ends(self, level: Level, text: str, now_s: float) -> None:
        """It is over."""
        self._on, self._over = False, (level, text)
        if not self._again or now_s >= self._until_s:
            self._tell_over()

    def pass_time(self, now_s: float) -> None:
        """Tell what was not told yet, when its time has come."""
        if now_s < self._until_s:
            return
        if self._count:
            times = "once more" if self._count == 1 else f"{self._count} times more"
            lasts = "and lasts" if self._on else "and is over now"
            self._say(self._level, f"{times} in {WINDOW_S:.0f} s, {lasts}: {self._text}")
            self._count, self._told_on, self._until_s = 0, self._on, now_s + WINDOW_S
            return
        self._until_s, self._again = -float("inf"), False
        if self._told_on and not self._on:
            self._tell_over()

    def _tell_over(self) -> None:
        if self._told_on:
            self._told_on = False
            self._say(*self._over)
