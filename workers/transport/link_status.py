"""How the link is doing, in figures and words, for the console."""

import time
from collections import deque
from collections.abc import Callable

from workers.model.events import Event, LinkChanged, LinkState

RATE_WINDOW_S = 3.0


class LinkStatus:
    """Folds what happens on the link into `LinkChanged` events."""

    def __init__(self, learner: str, emit: Callable[[Event], None]) -> None:
        self._learner = learner
        self._emit = emit
        self._state = LinkState.CONNECTING
        self._reason = ""
        self._since_s = time.monotonic()
        self._marks: deque[tuple[float, int, int]] = deque()
        self.acked = 0
        """Records acknowledged since this worker began; they are on the learner's disk."""
        self.sent_bytes = 0
        """Bytes of records sent since this worker began."""
        self.backlog = 0
        self.backlog_bytes = 0
        self.round_trip_ms = 0.0
        self.policy_wanted = 0

    def change(self, state: LinkState, reason: str = "") -> None:
        """Tell at once when state or reason are new."""
        if (state, reason) == (self._state, self._reason):
            return
        if state is not self._state:
            self._since_s = time.monotonic()
        self._state, self._reason = state, reason
        if state is not LinkState.UP:
            self.round_trip_ms = 0.0
        self._tell()

    def tick(self) -> None:
        """Once a second: rates over the last few seconds, then tell."""
        now = time.monotonic()
        self._marks.append((now, self.acked, self.sent_bytes))
        while now - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()
        self._tell()

    def _tell(self) -> None:
        records_per_s = bytes_per_s = 0.0
        if len(self._marks) > 1:
            (begun, acked, sent), (now, acked_now, sent_now) = self._marks[0], self._marks[-1]
            records_per_s = (acked_now - acked) / (now - begun)
            bytes_per_s = (sent_now - sent) / (now - begun)
        self._emit(
            LinkChanged(
                state=self._state,
                learner=self._learner,
                reason=self._reason,
                since_s=self._since_s,
                backlog=self.backlog,
                backlog_bytes=self.backlog_bytes,
                records_per_s=records_per_s,
                bytes_per_s=bytes_per_s,
                round_trip_ms=self.round_trip_ms,
                policy_wanted=self.policy_wanted,
            )
        )
