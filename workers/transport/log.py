"""The transition log: append-only, checksummed, in segments, one writer, any number of readers.

Layout of a log directory:
    spec.json          format version and `FeatureSpec`, written before anything else
    epoch              64 random bits, drawn when the log is made
    writer.lock        held by the one writer (flock)
    00000000.seg ...   records, dense sequence numbers across segments

A record is a 32-byte header (magic, payload length, type, session, seq, CRC of the payload, CRC of the
header) and its payload. The header's own CRC keeps a flipped length or seq from passing as another record.
A kill at any moment leaves whole records and at most one torn tail, which the next writer cuts and at which
readers wait. Opening a log to write begins a new session: an episode cut by a crash shows by its session.
"""

import os
import threading
from pathlib import Path
from types import TracebackType

from workers.transport.log_format import LogDamaged, LogError, LogFull, LogLocked, LogMismatch, pack_record
from workers.transport.log_reader import LogReader, forget
from workers.transport.record import FeatureSpec, Record
from workers.transport.segment_writer import SEGMENT_BYTES, SegmentWriter

__all__ = [
    "LogDamaged",
    "LogError",
    "LogFull",
    "LogLocked",
    "LogMismatch",
    "LogReader",
    "LogWriter",
    "forget",
]


class LogWriter:
    """Appends records. One writer a directory; opening cuts a torn tail and begins a new session."""

    def __init__(self, directory: Path, spec: FeatureSpec, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Create or reopen the log at `directory`.

        Raises LogLocked, LogMismatch, LogDamaged or LogFull.
        """
        self._spec = spec
        self._files = SegmentWriter(directory, spec, segment_bytes, retire=_sync_and_close_later)
        last = self._files.last
        self.next_seq = 0 if last is None else last.seq + 1
        """Sequence number of the next record."""
        self.session = 0 if last is None else last.session + 1
        """Number of this opening, stamped into every record."""
        self.last_episode = -1 if last is None else last.unpacked(spec).episode
        """Episode of the newest record, -1 in an empty log: go on with the next."""
        self.epoch = self._files.epoch
        """64 random bits, drawn when the log was made."""
        self.cut_bytes = self._files.cut_bytes
        """Bytes of a torn record cut on opening."""

    def append(self, record: Record) -> int:
        """Write one record and return its sequence number. It survives this process, not yet a power cut.

        Raises LogFull with the log as it was before, ValueError when shapes are not the spec's.
        """
        self._files.append(pack_record(record, self._spec, self.session, self.next_seq))
        self.next_seq += 1
        return self.next_seq - 1

    def sync_soon(self) -> None:
        """Make everything appended so far survive a power cut, in the background: a slow disk may take seconds."""
        _sync_and_close_later(self._files.duplicate())

    def close(self) -> None:
        """Sync and let another writer in. Closing twice is fine."""
        self._files.close()

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sync_and_close_later(descriptor: int) -> None:
    """fdatasync in a thread: the control loop must not wait for the disk."""

    def work() -> None:
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    threading.Thread(target=work, name="log-sync").start()
