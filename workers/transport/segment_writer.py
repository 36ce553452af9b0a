"""The files of a log as their one writer has them: lock, recovery, appending bytes, segments, syncing.

What the bytes are is the business of `LogWriter` and `ReplicaWriter`.
"""

import fcntl
import os
from collections.abc import Callable
from errno import EDQUOT, ENOSPC
from pathlib import Path

from workers.transport.log_format import (
    LogDamaged,
    LogError,
    LogFull,
    LogLocked,
    PackedRecord,
    holds_a_header,
    read_packed,
    segment_path,
    segments,
    sync_directory,
    write_or_check_epoch,
    write_or_check_spec,
)
from workers.transport.record import FeatureSpec

SEGMENT_BYTES = 64 * 2**20


class SegmentWriter:
    """Appends whole records as bytes; opening cuts a torn tail."""

    def __init__(
        self,
        directory: Path,
        spec: FeatureSpec,
        segment_bytes: int,
        retire: Callable[[int], None],
        epoch: int | None = None,
        mend: Callable[[Path], None] = lambda directory: None,
    ) -> None:
        """Create or reopen the log at `directory`; `retire` syncs and closes the descriptor of a full segment.

        `mend` may look after the segments first, once they are locked.
        Raises LogLocked, LogMismatch, LogDamaged or LogFull.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._retire = retire
        self._segment = -1
        self._lock = -1
        self._unnamed = True  # the segment's name may not survive a power cut yet
        self._doubtful = False  # what was written may not be on the disk, whatever the next sync says
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _take_lock(directory)
            write_or_check_spec(directory, spec)
            self.epoch = write_or_check_epoch(directory, epoch)
            """64 random bits, drawn when the log was made."""
            mend(directory)
            self._recover()
        except OSError as error:
            self.close()
            raise self._explained(error) from error
        except LogError:
            self.close()
            raise

    def _recover(self) -> None:
        """Find the last whole record and cut what follows; older segments were synced when full."""
        self.cut_bytes = 0
        """Bytes of a torn record cut on opening."""
        self.last: PackedRecord | None = None
        """The last record there was on opening."""
        paths = segments(self._directory)
        for path in reversed(paths):
            self.last, torn = _last_record(path)
            if torn and path != paths[-1]:
                raise _damaged(path)
            self.cut_bytes += torn
            if self.last is not None:
                break
        self._open_segment(paths[-1] if paths else segment_path(self._directory, 0))
        self._sync_name()

    def _open_segment(self, path: Path) -> None:
        fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        full, self._segment = self._segment, fresh
        self._number = int(path.stem)
        self._size = os.fstat(fresh).st_size
        self._unnamed = True
        if full >= 0:
            self._doubtful = True
            self._retire(full)
            self._doubtful = False

    def _sync_name(self) -> None:
        if self._unnamed:
            sync_directory(self._directory)
            self._unnamed = False

    def append(self, data: bytes) -> None:
        """All of `data`, or nothing. It survives this process, not yet a power cut. Raises LogFull, LogError."""
        self._check()
        try:
            if self._size and self._size + len(data) > self._segment_bytes:
                self._open_segment(segment_path(self._directory, self._number + 1))
            self._write(data)
        except OSError as error:
            raise self._explained(error) from error

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._segment, data)
            while written < len(data):
                written += os.write(self._segment, data[written:])
        except OSError:
            os.ftruncate(self._segment, self._size)
            raise
        self._size += len(data)

    def _explained(self, error: OSError) -> Exception:
        if error.errno not in (ENOSPC, EDQUOT):
            return error
        return LogFull(
            f"The disk that holds {self._directory} is full: the newest step was not recorded, all before it"
            " are safe. Free some space (old runs are the largest files), then go on."
        )

    def sync(self) -> None:
        """Make everything appended so far survive a power cut. Raises LogFull, LogError, OSError."""
        self._check()
        self._doubtful = True
        try:
            sync_data(self._segment)
            self._sync_name()
            self._doubtful = False
        except OSError as error:
            raise self._explained(error) from error

    def _check(self) -> None:
        if self._doubtful:
            raise LogError(f"{self._directory} could not be written to the disk; it is read again from there")

    def duplicate(self) -> int:
        """A descriptor of the present segment, for whoever syncs it elsewhere."""
        return os.dup(self._segment)

    def close(self) -> None:
        """Sync and let another writer in. Closing twice is fine."""
        segment, self._segment = self._segment, -1
        lock, self._lock = self._lock, -1
        try:
            if segment >= 0:
                os.fdatasync(segment)
        finally:
            for descriptor in (segment, lock):
                if descriptor >= 0:
                    os.close(descriptor)


def sync_data(descriptor: int) -> None:
    """fdatasync; where it fails, what this machine has in memory must not pass for what is on the disk.

    Linux takes a page that could not be written for clean: the next sync says nothing of it. Such pages are dropped,
    so that whoever opens the log again reads, and checks, the disk.
    """
    try:
        os.fdatasync(descriptor)
    except OSError:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        raise


def _take_lock(directory: Path) -> int:
    lock = os.open(directory / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise LogLocked(
            f"Another process is recording into {directory}. Stop that run, or give this one another name."
        ) from error
    return lock


def _last_record(path: Path) -> tuple[PackedRecord | None, int]:
    """The last whole record of a segment, and how many torn bytes after it were cut. Raises LogDamaged.

    A whole record after broken bytes is damage: a writer that dies tears its last record only.
    """
    last: PackedRecord | None = None
    good = 0
    with path.open("r+b") as file:
        for last, good in read_packed(file.fileno(), 0):  # noqa: B007
            pass
        file.seek(good)
        torn = file.read()
        if holds_a_header(torn):
            raise _damaged(path)
        if torn:
            file.truncate(good)
            os.fsync(file.fileno())
    return last, len(torn)


def _damaged(path: Path) -> LogDamaged:
    return LogDamaged(
        f"{path} is damaged before its end: the disk may be failing. Copy the directory aside and start a new"
        " run; what lies before the damage can still be read."
    )
