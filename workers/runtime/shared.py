"""Newest-value shared memory between processes: one writer, many readers, no locks, no names.

The memory is anonymous (an unlinked file handed to `spawn` children), so nothing is left behind however a
process ends. A writer fills the next of a few slots and then publishes its number; a reader copies the newest
slot and checks its CRC, since Python has no memory barriers and a writer may be killed in the middle.
"""

import ctypes
import zlib
from multiprocessing.context import SpawnContext
from typing import Any

import numpy as np
import numpy.typing as npt

SLOTS = 4
READ_TRIES = 8
_SLOT_HEAD = np.dtype([("count", "<u8"), ("crc", "<u4"), ("pad", "<u4")])


class SharedNewest:
    """The newest record of one numpy dtype.

    Args:
        context: the spawn context whose children get this object as an argument.
        dtype: record layout; a structured dtype, or a plain one with `shape`.
        shape: shape of one record, () for a structured scalar.
    """

    def __init__(self, context: SpawnContext, dtype: npt.DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self._dtype = np.dtype(dtype)
        self._shape = shape
        self._record_bytes = self._dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._slot_bytes = _SLOT_HEAD.itemsize + self._record_bytes
        self._memory = context.RawArray(ctypes.c_uint8, 8 + SLOTS * self._slot_bytes)
        self._map()

    def _map(self) -> None:
        whole = np.frombuffer(memoryview(self._memory), dtype=np.uint8)
        self._published = whole[:8].view("<u8")
        self._heads = []
        self._bodies = []
        for slot in range(SLOTS):
            start = 8 + slot * self._slot_bytes
            body = start + _SLOT_HEAD.itemsize
            self._heads.append(whole[start:body].view(_SLOT_HEAD))
            self._bodies.append(whole[body : body + self._record_bytes])

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_published", "_heads", "_bodies")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._map()

    def write(self, record: npt.NDArray[Any]) -> None:
        """Publish `record` (copied). Only one process may write."""
        count = int(self._published[0]) + 1
        slot = count % SLOTS
        body = self._bodies[slot]
        body[:] = np.ascontiguousarray(record).reshape(-1).view(np.uint8)
        self._heads[slot]["count"] = count
        self._heads[slot]["crc"] = zlib.crc32(body.data)
        self._published[0] = count

    def read(self) -> tuple[int, Any] | None:
        """(number of the record, a copy of it: an array, or a numpy scalar for shape ()); None before the first."""
        for _ in range(READ_TRIES):
            count = int(self._published[0])
            if count == 0:
                return None
            slot = count % SLOTS
            copy = self._bodies[slot].copy()
            head = self._heads[slot][0]
            if int(head["count"]) == count and int(head["crc"]) == zlib.crc32(copy.data):
                return count, copy.view(self._dtype).reshape(self._shape)[()]
        return None


class Beat:
    """A worker's sign of life: written by its own loop, judged by age by whoever watches."""

    def __init__(self, context: SpawnContext) -> None:
        self._at_ns = context.RawValue(ctypes.c_int64, 0)

    def mark(self, now_ns: int) -> None:
        self._at_ns.value = now_ns

    def clear(self) -> None:
        self._at_ns.value = 0

    def age_s(self, now_ns: int) -> float | None:
        """Seconds since the last beat; None when there was none yet."""
        at_ns = int(self._at_ns.value)
        return (now_ns - at_ns) / 1e9 if at_ns else None
