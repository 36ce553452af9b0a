"""Replies that were missed and may come yet: how many bytes they have, so that nobody asks for that many meanwhile."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

DEBT_S: Final = 1.0
"""How long a reply may be late and still be known for what it is. Adapters hold bytes back for up to 0.1 s."""
TAGS: Final = 3  # 15, 16, 17, 15, ...: the next request differs from the last even when nothing was missed
SPARE: Final = 60
LOST: Final = 30
"""Debts with which a servo is not asked any more until they are over: silent for good, it would use up all lengths."""


class Debts:
    """(servo, bytes of data) of missed replies, each until it comes or is too old to come."""

    def __init__(self) -> None:
        self._until_s: dict[tuple[int, int], float] = {}
        self._turn = 0
        self._lost: set[int] = set()

    def owe(self, ids: Iterable[int], length: int, now_s: float) -> None:
        """The replies of `ids` with `length` bytes did not come in time."""
        for servo_id in ids:
            self._until_s[servo_id, length] = now_s + DEBT_S
            if sum(debtor == servo_id for debtor, _ in self._until_s) >= LOST:
                self._lost.add(servo_id)

    def settle(self, servo_id: int, length: int) -> bool:
        """A reply that nobody waits for any more has come; whether it was owed."""
        return self._until_s.pop((servo_id, length), None) is not None

    def owed(self, servo_id: int, length: int, now_s: float) -> bool:
        return self._until_s.get((servo_id, length), now_s) > now_s

    def lost(self, servo_id: int, now_s: float) -> bool:
        """Whether so much is owed that asking makes no sense; ends by itself after a second without questions."""
        if servo_id in self._lost:
            owed = sum(
                debtor == servo_id and until_s > now_s for (debtor, _), until_s in self._until_s.items()
            )
            if not owed:
                self._lost.discard(servo_id)
        return servo_id in self._lost

    def length(self, ids: Iterable[int], least: int, now_s: float) -> int | None:
        """A number of bytes from `least` on that no servo of `ids` owes; None where there is none."""
        self._until_s = {debt: until_s for debt, until_s in self._until_s.items() if until_s > now_s}
        self._turn += 1
        turned = ((self._turn + step) % TAGS for step in range(TAGS))
        asked = tuple(ids)
        for more in chain(turned, range(TAGS, SPARE)):
            if not any((servo_id, least + more) in self._until_s for servo_id in asked):
                return least + more
        return None
