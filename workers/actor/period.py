"""RealtimePeriod: how a step's time passes at the arm, listening to the operator while it does."""

import time
from collections.abc import Callable

from workers.actor.chair import Chair
from workers.model.events import LoopRate
from workers.model.orders import AnyOrder
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.phases import ACTOR_S

RATE_PERIOD_S = 1.0


class RealtimePeriod:
    """Periods with absolute deadlines; an order wakes it at once: a key press need not wait for the next step."""

    def __init__(self, desk: Desk, period_s: float, take: Callable[[AnyOrder], None], chair: Chair) -> None:
        self.stages_ms: dict[str, float] = {}
        """What the newest step spent its time on; told with the rate."""
        self._desk = desk
        self._take = take
        self._chair = chair
        self._pacer = Pacer(desk.name, period_s, ACTOR_S)
        self._last_rate_s = 0.0

    def restart(self) -> None:
        self._pacer.restart()

    def pass_by(self, on_input: Callable[[], None]) -> None:
        while (remaining_s := self._pacer.remaining_s()) > 0:
            order = self._desk.next_order(remaining_s)
            if order is not None:
                self._take(order)
                on_input()
        self._pacer.advance()
        if time.monotonic() - self._last_rate_s > RATE_PERIOD_S:
            self._last_rate_s = time.monotonic()
            self._desk.mailbox.emit(self.rate())

    def interrupted(self) -> str:
        """Why the episode must end now, "" to go on."""
        if not self._desk.alive():
            return "the run is stopping"
        return ", ".join(sorted(self._chair.holds))

    def rate(self) -> LoopRate:
        return self._pacer.rate(self.stages_ms)
