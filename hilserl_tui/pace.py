"""Pace: how the terminal's own answers decide when to draw, how much, and whether anybody is there.

The console asks the terminal for its cursor position (`CSI 6n`) behind every drawing. The answer travels behind
everything written before it, so it proves that the screen was drawn and that the way back is alive. What a line
carries in `LAG_S` is learned from the answers; no more than that of pictures, and twice that of text, is on its
way at once. A slow line shows a fresh screen seldom instead of an old screen often.
"""

from collections import deque
from enum import IntEnum
from typing import NamedTuple

IN_FLIGHT = 4  # questions open at once: a terminal that stalls takes no more drawings than that
SLOW_MS = 50.0  # from such a round trip on drawing waits for nothing but the line
LAG_S = 0.05  # how long what is drawn may keep the line busy
LEAST_BYTES = 2_000  # a row or two, on any line
NEAR_S = 0.05  # a first answer this soon: nothing suggests a thin line (a console that starts reads late)
NEAR_BYTES, FAR_BYTES = 64_000, 16_000  # the first guess at what the line carries in LAG_S
MOST_BYTES = 1_000_000
DRIFT = 1.002  # the shortest round trip is forgotten slowly: ways change while a console is open
FORGET_S = 2.0  # an answer this late is given up, so that one lost reply cannot freeze the screen
MUTE_AFTER_S = 1.0  # a terminal that never answered by then does not know the question


class Turn(IntEnum):
    """In which order the parts of a drawing go over the line."""

    FIRST = 0  # who has the arm: always, at once
    TEXT = 1
    PICTURE = 2  # with what is left


class _Question(NamedTuple):
    asked_s: float
    size: int  # bytes written since the question before
    queued: int  # bytes on their way then, these among them


class Pacer:
    """Open questions and round trips; times are monotonic seconds handed in by the caller."""

    def __init__(self) -> None:
        self._open: deque[_Question] = deque()
        self._unasked = 0  # bytes written since the last question
        self._first_asked_s: float | None = None
        self.answered_s: float | None = None
        """When the terminal answered last; set in the input thread too, which may be ahead of the event loop."""
        self._ever_answered = self._lost = False
        self._shortest_s = float("inf")
        self._window = 0  # bytes that the line carries in LAG_S
        self.asked_s = 0.0
        self.link_ms: float | None = None  # newest round trip

    @property
    def slow(self) -> bool:
        """Whether the way is long or thin."""
        return self.link_ms is not None and self.link_ms > SLOW_MS

    @property
    def _queued(self) -> int:
        """Bytes of which it is not known that they arrived."""
        return self._unasked + sum(question.size for question in self._open)

    def wrote(self, size: int) -> None:
        """So many bytes went to the terminal."""
        self._unasked += size

    def may_ask(self, now_s: float) -> bool:
        while self._open and now_s - self._open[0].asked_s > FORGET_S:
            self._open.popleft()
            self._lost = True
        return len(self._open) < (1 if self._lost else IN_FLIGHT)

    def asked(self, now_s: float) -> None:
        if self._first_asked_s is None:
            self._first_asked_s = now_s
        self.asked_s = now_s
        self._open.append(_Question(now_s, self._unasked, self._queued))
        self._unasked = 0

    def answered(self, now_s: float) -> None:
        """The terminal replied to the oldest open question, at `now_s`."""
        self.answered_s = now_s
        first, self._ever_answered, self._lost = not self._ever_answered, True, False
        if not self._open:  # the reply to a forgotten question
            return
        question = self._open.popleft()
        took_s = now_s - question.asked_s
        self.link_ms = took_s * 1000.0
        self._shortest_s = min(took_s, self._shortest_s * DRIFT)
        if first:
            self._window = NEAR_BYTES if took_s < NEAR_S else FAR_BYTES
        else:
            self._learn(question, took_s - self._shortest_s)

    def _learn(self, question: _Question, lag_s: float) -> None:
        """What kept the line busy for `lag_s` says how much it carries; never more than twice what is proven."""
        if question.size < LEAST_BYTES:  # too few to tell the line from chance
            return
        if lag_s > LAG_S:
            self._window = max(LEAST_BYTES, int(question.queued * LAG_S / lag_s))
        else:
            carries = question.size * min(2.0, LAG_S / max(lag_s, 1e-6))
            self._window = min(MOST_BYTES, max(self._window, int(carries)))

    def room(self, turn: Turn) -> int | None:
        """Bytes of `turn` that may be written now; None: as many as there are."""
        if turn is Turn.FIRST or not self._ever_answered:
            return None
        if turn is Turn.PICTURE:
            return max(0, self._window - self._queued)
        return max(LEAST_BYTES, 2 * self._window - self._queued)

    def mute(self, now_s: float) -> bool:
        """True when this terminal does not answer at all: draw freely, key presses are the life signs."""
        waited = self._first_asked_s is not None and now_s - self._first_asked_s > MUTE_AFTER_S
        return waited and not self._ever_answered

    def may_draw(self, now_s: float) -> bool:
        """Whether there is room for text, and a question to go with it."""
        if self.mute(now_s):
            return True
        room = self.room(Turn.TEXT)
        return self.may_ask(now_s) and (room is None or room > LEAST_BYTES)
