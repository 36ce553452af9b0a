"""Arrivals: which of the words that come over a link may still be executed. Pure.

Clocks of two machines cannot be compared, so the receiver's own is the only one: it sends stamps of it, and a word
says the newest stamp that its sender had before it read the pad. The word is at most as old as that stamp, however
long it was on its way. What that allows is the 150 ms of every device, and at least the way to and fro.
"""

from collections import deque

from workers.model.commands import Verdict
from workers.teleop.device import COUNTS, FRESH_NS
from workers.transport.pb import pad_pb2 as pb

STAMPS_KEPT = 512  # ten seconds of them; a word of an older one is late anyway


class Arrivals:
    """The words of one link."""

    def __init__(self) -> None:
        self.age_ns = 0
        """Of the newest word that names a stamp, late or not."""
        self._stamps: deque[int] = deque(maxlen=STAMPS_KEPT)
        self._sequence = 0
        self._counts: tuple[int, ...] | None = None

    def stamp(self, now_ns: int) -> int:
        """A stamp to be sent now."""
        self._stamps.append(now_ns)
        return now_ns

    def take(self, word: pb.PadWord, now_ns: int) -> list[Verdict] | None:
        """The verdicts pressed since the last word, of a word that may be executed; None of one that may not.

        It may not when it is older than 150 ms, not newer than the one before, or names a stamp that was never sent.
        What was pressed in words that came late is passed over with them.
        """
        if word.sequence <= self._sequence:
            return None
        self._sequence = word.sequence
        counts = tuple(getattr(word, name) for name in COUNTS.values())
        before, self._counts = self._counts, counts
        if word.stamp_ns not in self._stamps:
            return None
        self.age_ns = now_ns - word.stamp_ns
        if self.age_ns > FRESH_NS:
            return None
        return [
            verdict
            for verdict, was, now in zip(COUNTS, before or counts, counts, strict=True)
            for _ in range(min(1, max(0, now - was)))
        ]
