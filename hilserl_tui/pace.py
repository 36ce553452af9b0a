"""Pace: how the terminal's own answers decide when to draw and whether anybody is there.

The console asks the terminal for its cursor position (`CSI 6n`) after drawing. The answer travels behind
everything written before it, so it proves that the screen was drawn and that the way back is alive. With no
more than two questions open a slow link shows a fresh screen seldom instead of an old screen often.
"""

from collections import deque

IN_FLIGHT = 2  # questions open at once
SLOW_MS = 100.0  # from such a round trip on only one: the second would wait behind the first on the line
FORGET_S = 2.0  # an answer this late is given up, so that one lost reply cannot freeze the screen
MUTE_AFTER_S = 1.0  # a terminal that never answered by then does not know the question


class Pacer:
    """Open questions and round trips; times are monotonic seconds handed in by the caller.

    `answered` may be called from the input thread: it touches the deque by single atomic operations.
    """

    def __init__(self) -> None:
        self._open: deque[float] = deque()
        self._first_asked_s: float | None = None
        self.answered_s: float | None = None
        """When the terminal answered last."""
        self.link_ms: float | None = None  # newest round trip

    def may_ask(self, now_s: float) -> bool:
        while self._open and now_s - self._open[0] > FORGET_S:
            self._open.popleft()
        return len(self._open) < (1 if self.slow else IN_FLIGHT)

    @property
    def slow(self) -> bool:
        """Whether drawings wait for one another on the line."""
        return self.link_ms is not None and self.link_ms > SLOW_MS

    def asked(self, now_s: float) -> None:
        if self._first_asked_s is None:
            self._first_asked_s = now_s
        self._open.append(now_s)

    def answered(self, now_s: float) -> None:
        """The terminal replied to the oldest open question."""
        self.answered_s = now_s
        try:
            asked_s = self._open.popleft()
        except IndexError:  # the reply to a forgotten question
            return
        self.link_ms = (now_s - asked_s) * 1000.0

    def mute(self, now_s: float) -> bool:
        """True when this terminal does not answer at all: draw freely, key presses are the life signs."""
        waited = self._first_asked_s is not None and now_s - self._first_asked_s > MUTE_AFTER_S
        return waited and self.answered_s is None

    def may_draw(self, now_s: float) -> bool:
        return self.mute(now_s) or self.may_ask(now_s)

    def stalled(self, now_s: float) -> bool:
        """True while a terminal that used to answer has been silent for half a second."""
        return self.answered_s is not None and bool(self._open) and now_s - self._open[0] > 0.5
