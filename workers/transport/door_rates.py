"""How fast an address may open connections: a token bucket each, which connections without a valid token drain."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

RATE_HZ: Final = 10.0
BURST: Final = 50.0
BARREN: Final = 9.0  # what a connection costs beside the one, when nobody showed a token on it
DEBT: Final = 20.0  # no address waits longer than (DEBT + 1) / RATE_HZ for its next connection
MOST_ADDRESSES: Final = 4096  # remembered; the one that came longest ago is forgotten first


@dataclass
class _Bucket:
    level: float
    filled_s: float
    turned_away: int = 0  # since somebody was let in


class Rates:
    """What each address has left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def admit(self, address: str) -> bool:
        """Whether this address may open a connection now; if so it is paid for."""
        bucket = self._of(address)
        if bucket.level < 1.0:
            bucket.turned_away += 1
            return False
        bucket.level -= 1.0
        bucket.turned_away = 0
        return True

    def barren(self, address: str) -> None:
        """A connection of this address ended, or was ended, without a valid token."""
        bucket = self._of(address)
        bucket.level = max(bucket.level - BARREN, -DEBT)

    def turned_away(self, address: str) -> int:
        """How many attempts in a row were refused."""
        return self._of(address).turned_away

    def wait_s(self, address: str) -> float:
        """Until this address may open a connection again."""
        return max(0.0, (1.0 - self._of(address).level) / RATE_HZ)

    def __len__(self) -> int:
        return len(self._buckets)

    def _of(self, address: str) -> _Bucket:
        now_s = self._clock()
        bucket = self._buckets.setdefault(address, _Bucket(BURST, now_s))
        bucket.level = min(BURST, bucket.level + RATE_HZ * (now_s - bucket.filled_s))
        bucket.filled_s = now_s
        self._buckets.move_to_end(address)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket
