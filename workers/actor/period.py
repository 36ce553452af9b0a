"""RealtimePeriod: how a step's time passes at the arm, listening to the operator while it does."""

import time
from collections.abc import Callable

from workers.actor.chair import Chair
from workers.actor.realtime import RealtimeArm
from workers.model.events import LoopRate
from workers.model.orders import AnyOrder
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.phases import ACTOR_S

PAUSE_WAIT_S = 0.05
RATE_PERIOD_S = 1.0


class RealtimePeriod:
    """Periods with absolute deadlines; an order wakes it at once, so that a key press need not wait for the next step."""

    def __init__(
        self, desk: Desk, period_s: float, take: Callable[[AnyOrder], None], chair: Chair, arm: RealtimeArm
    ) -> None:
        self._desk = desk
        self._take = take
        self._chair = chair
        self._arm = arm
        self._pacer = Pacer(desk.name, period_s, ACTOR_S)
        self._last_rate_s = 0.0

    def restart(self) -> None:
        self._pacer.restart()

    def pass_by(self, on_input: Callable[[], None]) -> None:
        while (remaining_s := self._pacer.remaining_s()) > 0:
            order = self._desk.next_order(remaining_s)
            if order is None:
                continue
            self._take(order)
            on_input()
        self._pacer.advance()
        self._desk.alive()
        if time.monotonic() - self._last_rate_s > RATE_PERIOD_S:
            self._last_rate_s = time.monotonic()
            self._desk.mailbox.emit(self.rate())

    def interrupted(self) -> str:
        """Why the episode must end, "" to go on; while the run is paused this holds the arm and waits."""
        if self._chair.paused:
            self._arm.hold()
            while self._chair.paused and self._desk.alive():
                order = self._desk.next_order(PAUSE_WAIT_S)
                if order is not None:
                    self._take(order)
            self._pacer.restart()
        return "" if self._desk.alive() else "the run is stopping"

    def rate(self, stages_ms: dict[str, float] | None = None) -> LoopRate:
        return self._pacer.rate(stages_ms)
