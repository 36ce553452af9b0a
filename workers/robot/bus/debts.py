"""Replies that may come yet, or again: how many bytes they have, so that nobody asks for that many meanwhile.

A missed reply may come for a second. One that was taken may have a copy, which an adapter held back or sent twice:
for a tenth of a second its length is not asked for again, and then chance decides which of ten lengths is.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Final

DEBT_S: Final = 1.0
"""How long a reply may be late and still be known for what it is. Adapters hold bytes back for up to 0.1 s."""
TAGS: Final = 10  # 15 to 24; each byte more costs six servos 60 us
COPY_S: Final = 0.11  # five exchanges of 20 ms, and the sixth
SPARE: Final = 60
LOST: Final = 30
"""Debts with which a servo is not asked any more until they are over: silent for good, it would use up all lengths."""


class Debts:
    """(servo, bytes of data) of missed replies, each until it comes or is too old to come."""

    def __init__(self, seed: int | None = None) -> None:
        self._until_s: dict[tuple[int, int], float] = {}
        self._asked_s: dict[
            int, float
        ] = {}  # of each length of late, oldest first: when it was asked for, of whomever
        self._chance = random.Random(seed)
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

    @property
    def any_lost(self) -> bool:
        """Whether it may be that a servo is `lost`."""
        return bool(self._lost)

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
        near: Sequence[int] = range(least, least + TAGS)
        if self._until_s:
            self._until_s = {debt: until_s for debt, until_s in self._until_s.items() if until_s > now_s}
            asked = tuple(ids)
            near = [length for length in near if self._is_free(asked, length)]
            if not near:
                lengths = range(least + TAGS, least + SPARE)
                return next((length for length in lengths if self._is_free(asked, length)), None)
        asked_s = self._asked_s
        while asked_s and now_s - next(iter(asked_s.values())) >= COPY_S:
            del asked_s[next(iter(asked_s))]
        unused = [length for length in near if length not in asked_s]
        # At more than a hundred exchanges a second all of them are in use: then the one that was longest ago.
        chosen = (
            unused[int(self._chance.random() * len(unused))] if unused else min(near, key=asked_s.__getitem__)
        )
        asked_s.pop(chosen, None)
        asked_s[chosen] = now_s
        return chosen

    def _is_free(self, ids: tuple[int, ...], length: int) -> bool:
        return not any((servo_id, length) in self._until_s for servo_id in ids)
