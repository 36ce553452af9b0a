"""How much may be under way at once: sent, and not yet acknowledged.

A fast network gets several megabytes, a thin one about a second's worth: heartbeats and keepalive pings stand
behind whatever was sent before them, and must not be late enough for a slow link to look like a dead one.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from workers.transport.wire import BATCH_BYTES, WINDOW_RECORDS

LEAST_BYTES = 64 * 2**10  # or one record, where that is more
MOST_BYTES = 8 * 2**20
QUICK_S, SLOW_S = 0.5, 1.5


class _Sent(NamedTuple):
    next_seq: int
    records: int
    size: int
    at_s: float


class Window:
    """Doubles while acknowledgements come quickly, halves when they are slow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limit = 4 * LEAST_BYTES
        self._under_way: deque[_Sent] = deque()
        self.records = 0
        """Records under way."""
        self.size = 0
        """Bytes of them."""

    def room(self) -> tuple[int, int]:
        """Records and bytes that may be sent now; the first record may be larger where nothing is under way."""
        if not self._under_way:
            return WINDOW_RECORDS, min(self._limit, BATCH_BYTES)
        return WINDOW_RECORDS - self.records, min(self._limit - self.size, BATCH_BYTES)

    def sent(self, next_seq: int, records: int, size: int) -> None:
        """A batch left that ends before `next_seq`."""
        self._under_way.append(_Sent(next_seq, records, size, self._clock()))
        self.records += records
        self.size += size

    def acknowledge(self, next_seq: int) -> tuple[int, int]:
        """Records and bytes of the batches that all before `next_seq` completes."""
        records = size = 0
        took_s = None
        while self._under_way and self._under_way[0].next_seq <= next_seq:
            batch = self._under_way.popleft()
            records, size = records + batch.records, size + batch.size
            took_s = self._clock() - batch.at_s
        self.records -= records
        self.size -= size
        if took_s is not None and took_s < QUICK_S:
            self._limit = min(MOST_BYTES, self._limit + size)
        elif took_s is not None and took_s > SLOW_S:
            self._limit = max(LEAST_BYTES, self._limit // 2)
        return records, size
