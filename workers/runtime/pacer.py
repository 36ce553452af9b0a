"""Pacer: a loop at a fixed rate with absolute deadlines, and the figures of how well it kept them."""

import math
import time
from collections import deque
from collections.abc import Callable

from workers.model.events import LoopRate

WINDOW = 600  # periods the figures look back on


class Pacer:
    """Deadlines at multiples of the period on the monotonic clock.

    A late loop skips the deadlines it missed instead of running them in a burst: a robot must not
    catch up.

    With `phase_s` the deadlines are multiples of the period plus that phase on the clock itself. Loops of several
    processes then keep a fixed order without a word between them: arm, picture, decision.
    """

    def __init__(
        self,
        worker: str,
        period_s: float,
        phase_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.period_s = period_s
        self.overruns = 0
        self._worker = worker
        self._clock = clock
        self._sleep = sleep
        self._periods: deque[float] = deque(maxlen=WINDOW)
        self._last_s: float | None = None
        self._phase_s = phase_s
        self._deadline_s = self._next_start() + period_s

    def restart(self) -> None:
        """Begin a new row of deadlines; the gap before it is no overrun (an episode reset, a pause).

        With a phase this waits for the beginning of a period, so that the first one is whole.
        """
        self._last_s = None
        start_s = self._next_start()
        self._sleep(max(0.0, start_s - self._clock()))
        self._deadline_s = start_s + self.period_s

    def _next_start(self) -> float:
        now_s = self._clock()
        if self._phase_s is None:
            return now_s
        return math.ceil((now_s - self._phase_s) / self.period_s) * self.period_s + self._phase_s

    @property
    def deadline_s(self) -> float:
        """When the running period ends."""
        return self._deadline_s

    def remaining_s(self) -> float:
        return max(0.0, self._deadline_s - self._clock())

    def wait(self) -> None:
        """Sleep until the deadline and open the next period."""
        remaining = self._deadline_s - self._clock()
        if remaining > 0:
            self._sleep(remaining)
        self.advance()

    def advance(self) -> None:
        """Open the next period now; call it at or after the deadline."""
        now = self._clock()
        if self._last_s is not None:
            self._periods.append(now - self._last_s)
        self._last_s = now
        self._deadline_s += self.period_s
        while self._deadline_s <= now:
            self.overruns += 1
            self._deadline_s += self.period_s

    def rate(self, stages_ms: dict[str, float] | None = None) -> LoopRate:
        """Figures over the last periods."""
        periods = sorted(self._periods)
        if not periods:
            return LoopRate(self._worker, 0.0, 0.0, 0.0, self.overruns, stages_ms or {})
        mean = sum(periods) / len(periods)
        return LoopRate(
            worker=self._worker,
            hz=1.0 / mean if mean > 0 else 0.0,
            period_p50_ms=periods[len(periods) // 2] * 1e3,
            period_p99_ms=periods[min(len(periods) - 1, int(len(periods) * 0.99))] * 1e3,
            overruns=self.overruns,
            stages_ms=stages_ms or {},
        )
