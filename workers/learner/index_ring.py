"""First-in first-out ring of slot numbers with random access: one view over the frame store."""

import numpy as np
from numpy.typing import NDArray


class IndexRing:
    """At most `capacity` slot numbers, oldest first; appending, dropping and drawing cost O(1)."""

    def __init__(self, capacity: int) -> None:
        self._slots = np.empty(max(capacity, 1), np.int64)
        self._head = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, slot: int) -> None:
        """Add `slot` as the newest. Raises IndexError when full."""
        if self._size == len(self._slots):
            raise IndexError("index ring is full: drop the oldest first")
        self._slots[(self._head + self._size) % len(self._slots)] = slot
        self._size += 1

    def pop_oldest(self) -> int:
        """Remove and return the oldest. Raises IndexError when empty."""
        if not self._size:
            raise IndexError("index ring is empty")
        slot = int(self._slots[self._head])
        self._head = (self._head + 1) % len(self._slots)
        self._size -= 1
        return slot

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Slots at `positions` counted from the oldest, int64 [n] in [0, len)."""
        return self._slots[(self._head + positions) % len(self._slots)]

    def all(self) -> NDArray[np.int64]:
        """Every slot, oldest first."""
        return self.at(np.arange(self._size))

    def replace(self, slots: NDArray[np.int64]) -> None:
        """Hold exactly `slots`, oldest first."""
        self._head, self._size = 0, len(slots)
        self._slots[: len(slots)] = slots
