"""Reading a log from its start and following it while it grows. Needs no lock and writes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

from workers.transport.log_format import (
    HEADER_BYTES,
    LogDamaged,
    PackedRecord,
    read_head,
    read_packed,
    read_spec,
    segment_path,
    segments,
)
from workers.transport.record import FeatureSpec, Record

READ_AHEAD_BYTES = 16 * 2**20


class PackedReader:
    """Follows a log record by record without decoding any."""

    def __init__(self, directory: Path) -> None:
        """Follow the log at `directory`, which may not exist yet."""
        self._directory = directory
        self._number = 0
        self._offset = 0
        self._bytes_before = 0
        self.position = 0
        """Sequence number of the next record to be read."""

    @property
    def segment(self) -> int:
        """Number of the segment that holds the record before `position`, or the one to come."""
        return self._number

    @property
    def bytes_passed(self) -> int:
        """Bytes of the log before `position`."""
        return self._bytes_before + self._offset

    def read_new(self, limit: int | None = None, limit_bytes: int | None = None) -> list[PackedRecord]:
        """Every record that has become whole since the last call, oldest first.

        At most `limit` of them, and no more than `limit_bytes` of payload unless the first alone is larger.
        A torn record is left for later: its writer may be in the middle of it, or the next one will cut it.
        Raises LogDamaged at a bad or missing record, once those before it were given.
        """
        records: list[PackedRecord] = []
        size = 0
        try:
            for record, end in self._follow(payloads=True):
                size += len(record.payload)
                if limit_bytes is not None and size > limit_bytes and records:
                    break
                self._take(record, end)
                records.append(record)
                if len(records) == limit:
                    break
        except LogDamaged:
            if not records:
                raise
        return records

    def skip_new(self) -> None:
        """Pass over every record whose header is whole, reading no payload. Raises LogDamaged."""
        for record, end in self._follow(payloads=False):
            self._take(record, end)

    def go_to(self, seq: int) -> bool:
        """Stand before record `seq`; False, and at the log's end, when it has not come so far. Raises LogDamaged."""
        self._number = self._offset = self._bytes_before = self.position = 0
        for path in segments(self._directory):
            first = _first_seq(path)
            if first is None or first > seq:
                break
            self._bytes_before = sum(
                segment_path(self._directory, n).stat().st_size for n in range(int(path.stem))
            )
            self._number, self._offset, self.position = int(path.stem), 0, first
        for record, end in self._follow(payloads=False):
            if record.seq >= seq:
                break
            self._take(record, end)
        return self.position == seq

    def begin_at_oldest(self) -> None:
        """Stand before the oldest record there is: segments that nobody needs any more may be gone (`forget`)."""
        for path in segments(self._directory):
            if (first := _first_seq(path)) is not None:
                self._number, self._offset, self.position = int(path.stem), 0, first
            return

    def _take(self, record: PackedRecord, end: int) -> None:
        self._offset, self.position = end, record.seq + 1

    def _follow(self, payloads: bool) -> Iterator[tuple[PackedRecord, int]]:
        """Records from here on through all segments; whoever takes one moves on, whoever stops stays before it."""
        while True:
            # Asked before reading: once the next segment is there, nothing is added to this one any more.
            finished = segment_path(self._directory, self._number + 1).exists()
            yield from self._follow_segment(payloads)
            if not finished:
                return
            self._check_read_out()
            self._bytes_before += self._offset
            self._number, self._offset = self._number + 1, 0

    def _check_read_out(self) -> None:
        """Raises LogDamaged, and the reader stays, where the next segment does not begin with the record due."""
        path = segment_path(self._directory, self._number)
        left = path.stat().st_size - self._offset if path.exists() else 0
        following = _first_seq(segment_path(self._directory, self._number + 1))
        if left or following not in (self.position, None):
            raise LogDamaged(
                f"{path} is damaged in record {self.position}: the disk may be failing."
                " Start again from a copy of the log, or with a new run name."
            )

    def _follow_segment(self, payloads: bool) -> Iterator[tuple[PackedRecord, int]]:
        path = segment_path(self._directory, self._number)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            if payloads:
                # The disk fetches the next records while those before are looked at.
                os.posix_fadvise(file.fileno(), self._offset, READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
            records = read_packed if payloads else _heads
            for record, end in records(file.fileno(), self._offset):
                if record.seq != self.position:
                    raise LogDamaged(
                        f"{path} goes on with record {record.seq} where {self.position} was due;"
                        " records are missing. Start again from a copy of the log, or with a new run name."
                    )
                yield record, end


class LogReader:
    """Follows a log and gives its records."""

    def __init__(self, directory: Path, spec: FeatureSpec | None = None) -> None:
        """Follow the log at `directory`, which may not exist yet; `spec` is checked once there is one.

        Raises LogMismatch.
        """
        self._directory = directory
        self._wanted = spec
        self._packed = PackedReader(directory)
        self.spec = read_spec(directory, spec)
        """Shapes of the observations in this log; None until the writer has said."""

    @property
    def position(self) -> int:
        """Sequence number of the next record to be read; what a checkpoint remembers."""
        return self._packed.position

    @property
    def segment(self) -> int:
        """Number of the segment that is being read."""
        return self._packed.segment

    def begin_at_oldest(self) -> None:
        """Stand before the oldest record there is, which is not the first one where segments were forgotten."""
        self._packed.begin_at_oldest()

    def read_new(self, limit: int | None = None) -> list[Record]:
        """Every record that has become whole since the last call, at most `limit` of them, oldest first.

        Raises LogMismatch, LogDamaged at a bad or missing record, RecordFormatError when one cannot be read.
        """
        if self.spec is None:
            self.spec = read_spec(self._directory, self._wanted)
        if self.spec is None or limit == 0:
            return []
        return [record.unpacked(self.spec) for record in self._packed.read_new(limit)]


def forget(directory: Path, before: int) -> None:
    """Delete the segments with a smaller number than `before`; their records are kept elsewhere."""
    for path in segments(directory):
        if int(path.stem) < before:
            path.unlink(missing_ok=True)


def _heads(file: int, offset: int) -> Iterator[tuple[PackedRecord, int]]:
    """As `read_packed`, without payloads; the last record may still be half written."""
    size = os.fstat(file).st_size
    while (found := read_head(file, offset)) is not None:
        offset += HEADER_BYTES + found[1]
        if offset > size:
            return
        yield found[0], offset


def _first_seq(path: Path) -> int | None:
    with path.open("rb") as file:
        found = read_head(file.fileno(), 0)
    return found[0].seq if found is not None else None
