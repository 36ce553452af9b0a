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
FEEL_S = 0.02  # how often a person's device, and the age of what keys say, is looked at while a period passes


class RealtimePeriod:
    """Periods with absolute deadlines; an order wakes it at once: a key press need not wait for the next step.

    Args:
        take: takes the orders that arrive meanwhile.
        feel: looks at the person's device; None where there is none.
    """

    def __init__(
        self,
        desk: Desk,
        period_s: float,
        take: Callable[[AnyOrder], None],
        chair: Chair,
        feel: Callable[[], None] | None = None,
    ) -> None:
        self.stages_ms: dict[str, float] = {}
        """What the newest step spent its time on; told with the rate."""
        self._desk = desk
        self._take = take
        self._chair = chair
        self._feel = feel
        self._pacer = Pacer(desk.name, period_s, ACTOR_S)
        self._last_rate_s = 0.0

    def restart(self) -> None:
        self._pacer.restart()

    def pass_by(self, on_input: Callable[[], None]) -> None:
        while (remaining_s := self._pacer.remaining_s()) > 0:
            watched = self._feel is not None or self._chair.held_keys.down
            order = self._desk.next_order(min(remaining_s, FEEL_S) if watched else remaining_s)
            if order is not None:
                self._take(order)
            if self._feel is not None:
                self._feel()
            if order is not None or watched:
                on_input()
        self._pacer.advance()
        if time.monotonic() - self._last_rate_s > RATE_PERIOD_S:
            self._last_rate_s = time.monotonic()
            self._desk.mailbox.emit(self.rate())

    def interrupted(self) -> str:
        """Why the episode must end now, "" to go on."""
        if not self._desk.alive():
            return "the run is stopping"
        if self._feel is not None:
            self._feel()  # the coming step is decided by the newest word
        return ", ".join(sorted(self._chair.holds))

    def rate(self) -> LoopRate:
        return self._pacer.rate(self.stages_ms)
