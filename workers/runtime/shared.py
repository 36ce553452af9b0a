"""Newest-value shared memory between processes: one writer, many readers, no locks, no names.

The memory is anonymous (an unlinked file handed to `spawn` children), so nothing is left behind however a
process ends. A writer fills the next of a few slots and then publishes its number; a reader copies the newest
slot and checks its CRC, since Python has no memory barriers and a writer may be killed in the middle.
"""

import ctypes
import struct
import zlib
from collections.abc import Mapping
from multiprocessing.context import SpawnContext
from typing import Any

import numpy as np
import numpy.typing as npt

SLOTS = 4
READ_TRIES = 8
_COUNT = struct.Struct("@Q")  # native, so that it is one store
_SLOT_HEAD = struct.Struct("@QI4x")  # count, CRC of the record


_LETTERS = {"i8": "q", "f8": "d", "b1": "?"}  # of numpy -> of struct

Record = Mapping[str, Any]
"""The fields of a structured record by name."""


class SharedNewest:
    """The newest record of one numpy dtype.

    Args:
        context: the spawn context whose children get this object as an argument.
        dtype: record layout; a structured dtype, or a plain one with `shape`.
        shape: shape of one record, () for a structured scalar.
    """

    def __init__(self, context: SpawnContext, dtype: npt.DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self.dtype = np.dtype(dtype)
        self._shape = shape
        self._record_bytes = self.dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._slot_bytes = _SLOT_HEAD.size + self._record_bytes
        self._memory = context.RawArray(ctypes.c_uint8, 8 + SLOTS * self._slot_bytes)
        self._map()

    def _map(self) -> None:
        # Plain memory and `struct`: a numpy view costs ten times as much for one number.
        self._bytes = memoryview(self._memory).cast("B")
        starts = [8 + slot * self._slot_bytes + _SLOT_HEAD.size for slot in range(SLOTS)]
        self._bodies = [self._bytes[start : start + self._record_bytes] for start in starts]

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_bytes", "_bodies")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._map()

    def write(self, record: npt.NDArray[Any]) -> None:
        """Publish `record` (copied). Only one process may write."""
        (published,) = _COUNT.unpack_from(self._bytes)
        count = published + 1
        slot = count % SLOTS
        body = self._bodies[slot]
        body[:] = record.tobytes()
        _SLOT_HEAD.pack_into(self._bytes, 8 + slot * self._slot_bytes, count, zlib.crc32(body))
        _COUNT.pack_into(self._bytes, 0, count)

    def read(self, after: int = 0) -> tuple[int, Any] | None:
        """(number of the record, a copy of it: an array, or a numpy scalar for shape ()).

        None before the first, and while there is none newer than number `after`.
        """
        if (taken := self.take(after)) is None:
            return None
        record = np.frombuffer(taken[1], self.dtype)
        return taken[0], record[0] if self._shape == () else record.reshape(self._shape)

    def take(self, after: int) -> tuple[int, bytearray] | None:
        """As `read`, the record as its bytes."""
        for _ in range(READ_TRIES):
            (count,) = _COUNT.unpack_from(self._bytes)
            if count <= after:
                return None
            slot = count % SLOTS
            copy = bytearray(self._bodies[slot])
            if (count, zlib.crc32(copy)) == _SLOT_HEAD.unpack_from(self._bytes, 8 + slot * self._slot_bytes):
                return count, copy
        return None


class Newest:
    """A reader of structured records that takes each only once: for a loop that looks more often than there is a new
    one. Fields become plain numbers, which are read and compared at a tenth of numpy's cost."""

    def __init__(self, memory: SharedNewest) -> None:
        """Raises KeyError for a layout with other fields than numbers and vectors of numbers."""
        self._memory = memory
        self._fields = [
            (name, dtype.shape[0] if dtype.shape else 1, bool(dtype.shape))
            for name, dtype in ((name, memory.dtype[name]) for name in memory.dtype.names or ())
        ]
        letters = (memory.dtype[name].base.str[1:] for name, _, _ in self._fields)
        counted = zip(self._fields, letters, strict=True)
        self._layout = struct.Struct(
            "<" + "".join(f"{count}{_LETTERS[each]}" for (_, count, _), each in counted)
        )
        self._number = 0
        self._record: Record | None = None

    def look(self) -> Record | None:
        """The newest record, the same object until there is a newer one: not to be changed. None before the first.

        Single numbers are Python's, vectors tuples of those.
        """
        if (taken := self._memory.take(after=self._number)) is not None:
            self._number, values = taken[0], self._layout.unpack(taken[1])
            record: dict[str, Any] = {}
            start = 0
            for name, count, is_vector in self._fields:
                record[name] = values[start : start + count] if is_vector else values[start]
                start += count
            self._record = record
        return self._record


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
