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

from workers.transport.log_format import (
    LogDamaged,
    LogError,
    LogFull,
    LogLocked,
    LogMismatch,
    LogUnsaved,
    pack_record,
)
from workers.transport.log_reader import LogReader, forget
from workers.transport.record import FeatureSpec, Record
from workers.transport.segment_writer import SEGMENT_BYTES, SegmentWriter, sync_data

__all__ = [
    "LogDamaged",
    "LogError",
    "LogFull",
    "LogLocked",
    "LogMismatch",
    "LogReader",
    "LogUnsaved",
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
        self._later = _LaterSync(directory)
        self._files = SegmentWriter(directory, spec, segment_bytes, retire=self._later.sync_and_close)
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

        Raises LogFull with the log as it was before, ValueError when shapes are not the spec's, and LogUnsaved from
        then on when something before could not be saved: the log has to be opened again.
        """
        self._later.check()
        self._files.append(pack_record(record, self._spec, self.session, self.next_seq))
        self.next_seq += 1
        return self.next_seq - 1

    def sync_soon(self) -> None:
        """Make everything appended so far survive a power cut, in the background: a slow disk may take seconds."""
        self._later.sync_and_close(self._files.duplicate())

    def close(self) -> None:
        """Sync and let another writer in. Closing twice is fine. Raises OSError, and LogUnsaved if nobody heard yet."""
        self._later.wait()
        self._files.close()
        self._later.check(again=False)

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _LaterSync:
    """fdatasync in threads of its own: the control loop must not wait for the disk. What fails is kept for the writer.

    The kernel tells an error once: whoever syncs later hears that all is well.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._threads: list[threading.Thread] = []
        self._error: OSError | None = None
        self._told = False

    def sync_and_close(self, descriptor: int) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._work, args=(descriptor,), name="log-sync")
        self._threads.append(thread)
        thread.start()

    def _work(self, descriptor: int) -> None:
        try:
            sync_data(descriptor)
        except OSError as error:
            self._error = error
        finally:
            os.close(descriptor)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def check(self, again: bool = True) -> None:
        """Raises LogUnsaved when something failed; not `again` once it was told."""
        if self._error is None or (self._told and not again):
            return
        self._told = True
        raise LogUnsaved(
            f"The disk that holds {self._directory} did not save what was recorded ({self._error.strerror}): the"
            " newest steps may be lost. The disk is full or failing: look at its free space, and at `dmesg`. The"
            " recording goes on with what the disk holds."
        ) from self._error
