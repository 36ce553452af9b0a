"""ReplicaWriter: the learner's copy of an actor's log, record for record, byte for byte.

Sequence and session numbers are the origin's. Exactly once is structural: a record that is already here is
dropped, one that would leave a gap is refused, and only what a sync has covered may be acknowledged.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from workers.transport.log_format import LogDamaged, LogError, PackedRecord
from workers.transport.log_mark import mark_before
from workers.transport.record import FeatureSpec
from workers.transport.replica_damage import set_damage_aside
from workers.transport.segment_writer import SEGMENT_BYTES, SegmentWriter, sync_data


class LogGap(LogError):
    """Records are missing before the one that came."""


class ReplicaWriter:
    """Appends packed records of another log. One writer a directory; opening cuts a torn tail."""

    def __init__(
        self,
        directory: Path,
        spec: FeatureSpec,
        epoch: int,
        segment_bytes: int = SEGMENT_BYTES,
        verified: dict[Path, int] | None = None,
    ) -> None:
        """Create or reopen the copy, at `directory`, of the log with this epoch; damage is set aside.

        `verified`: full segments this process has read before, as in `set_damage_aside`.
        Raises LogLocked, LogMismatch, LogFull or OSError.
        """
        known = {} if verified is None else verified
        self._files = SegmentWriter(
            directory, spec, segment_bytes, _sync_and_close, epoch, lambda path: set_damage_aside(path, known)
        )
        self._next_seq = 0 if self._files.last is None else self._files.last.seq + 1
        self.durable_seq = self._next_seq
        """All records before this one survive a power cut."""
        try:
            self._files.sync()  # what a killed writer left is not yet known to be on the disk
            mark = mark_before(directory, self.durable_seq, spec)
            if mark is None:
                raise LogDamaged(f"{directory} holds fewer records than were found when it was opened")
        except (LogError, OSError):
            self.close()
            raise
        self.mark = mark
        """Of the newest records there were on opening."""

    def append(self, records: Iterable[PackedRecord]) -> int:
        """Append what is new of `records`, sync, and return `durable_seq`; to be called off the event loop.

        Raises LogGap, or LogFull in writing: what came before is kept either way, and synced by the next call.
        After any other LogError, or OSError, the copy must be opened anew.
        """
        for record in records:
            if record.seq < self._next_seq:
                continue
            if record.seq > self._next_seq:
                raise LogGap(f"record {record.seq} came where {self._next_seq} was due")
            self._files.append(record.packed())
            self._next_seq += 1
        if self._next_seq != self.durable_seq:
            self._files.sync()
            self.durable_seq = self._next_seq
        return self.durable_seq

    def close(self) -> None:
        """Sync and let another writer in. Closing twice is fine."""
        self._files.close()


def _sync_and_close(descriptor: int) -> None:
    try:
        sync_data(descriptor)
    finally:
        os.close(descriptor)
