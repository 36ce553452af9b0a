"""The actor's log as the link reads it: in batches, each on this disk before it leaves.

Were a record sent before it is on the actor's own disk, a power cut could take it there and not at the learner,
and the next one would get its number.
"""

import os
import zlib
from collections import deque
from contextlib import suppress
from pathlib import Path

from workers.transport.codec import as_jpeg
from workers.transport.log_format import (
    PackedRecord,
    read_epoch,
    read_spec,
    segment_path,
    sync_directory,
)
from workers.transport.log_mark import mark_before
from workers.transport.log_reader import PackedReader
from workers.transport.record import FeatureSpec


class LinkLog:
    """Blocks on the disk: to be called from one thread, off the event loop."""

    def __init__(self, directory: Path, jpeg: bool) -> None:
        self._directory = directory
        self._jpeg = jpeg
        self._spec: FeatureSpec | None = None
        self._batches = PackedReader(directory)
        self._end = PackedReader(directory)
        self._acknowledged = directory / "acknowledged"
        self._noted_seq = 0
        self._synced_segment = 0
        self._named_segment = -1  # the newest whose name is on the disk
        self._marks: deque[tuple[int, int]] = deque([(0, 0)])  # (seq, bytes before it) at the ends of batches

    def identity(self) -> tuple[FeatureSpec, int] | None:
        """Features and epoch of the log; None until the actor has opened it. Raises LogMismatch."""
        self._spec, epoch = read_spec(self._directory), read_epoch(self._directory)
        return None if self._spec is None or epoch is None else (self._spec, epoch)

    def go_to(self, seq: int) -> bool:
        """Go on with record `seq`; False when this log does not reach there. Raises LogDamaged."""
        found = self._batches.go_to(seq)
        self._synced_segment = self._batches.segment
        self._marks = deque([(self._batches.position, self._batches.bytes_passed)])
        return found

    def acknowledged(self) -> int:
        """What the learner had when it was last noted, for showing while it is away; 0 when it never was.

        Raises LogDamaged.
        """
        try:
            self._noted_seq = int(self._acknowledged.read_bytes())
            self.go_to(self._noted_seq)
        except (OSError, ValueError):
            return 0
        return self._batches.position

    def note_acknowledged(self, seq: int) -> None:
        """Keep it for the next start; a note that cannot be written is no harm."""
        if seq == self._noted_seq:
            return
        aside = self._acknowledged.with_suffix(".tmp")
        with suppress(OSError):
            aside.write_text(str(seq))
            aside.replace(self._acknowledged)
            self._noted_seq = seq

    def is_marked(self, seq: int, mark: int) -> bool:
        """Whether the records before `seq` are those the learner means. Raises LogDamaged."""
        assert self._spec is not None, "identity() first"
        return mark_before(self._directory, seq, self._spec) == mark

    def next_batch(self, limit: int, limit_bytes: int) -> list[PackedRecord]:
        """New records, synced, as they are to travel. Raises LogDamaged, RecordFormatError, OSError."""
        records = self._batches.read_new(limit, limit_bytes)
        if not records:
            return []
        self._sync()
        self._marks.append((self._batches.position, self._batches.bytes_passed))
        return [self._thinned(record) for record in records] if self._jpeg else records

    def backlog(self, next_seq: int) -> tuple[int, int]:
        """Records from `next_seq` (the newest acknowledgement) to the log's end, and their bytes in it."""
        self._end.skip_new()
        while len(self._marks) > 1 and self._marks[1][0] <= next_seq:
            self._marks.popleft()
        return max(0, self._end.position - next_seq), max(0, self._end.bytes_passed - self._marks[0][1])

    def _sync(self) -> None:
        for number in range(self._synced_segment, self._batches.segment + 1):
            file = os.open(segment_path(self._directory, number), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(file)
            finally:
                os.close(file)
        self._synced_segment = self._batches.segment
        if self._named_segment < self._synced_segment:
            sync_directory(self._directory)
            self._named_segment = self._synced_segment

    def _thinned(self, record: PackedRecord) -> PackedRecord:
        assert self._spec is not None, "identity() first"
        kind, payload = as_jpeg(record.kind, record.payload, self._spec)
        return record._replace(kind=kind, payload=payload, crc32=zlib.crc32(payload))
