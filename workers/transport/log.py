"""The transition log: append-only, checksummed, in segments, one writer, any number of readers.

Layout of a log directory:
    spec.json          format version and `FeatureSpec`, written before anything else
    writer.lock        held by the one writer (flock)
    00000000.seg ...   records, dense sequence numbers across segments

A record is a 32-byte header (magic, payload length, type, session, seq, CRC of the payload, CRC of the
header) and its payload. The header's own CRC keeps a flipped length or seq from passing as another record.
A kill at any moment leaves whole records and at most one torn tail, which the next writer cuts and at which
readers wait. Opening a log to write begins a new session: an episode cut by a crash shows by its session.
"""

import fcntl
import os
import threading
from errno import EDQUOT, ENOSPC
from pathlib import Path
from types import TracebackType

from workers.transport.log_format import (
    LogDamaged,
    LogError,
    LogFull,
    LogLocked,
    LogMismatch,
    holds_a_header,
    pack_record,
    read_records,
    read_spec,
    segments,
    write_or_check_spec,
)
from workers.transport.record import FeatureSpec, Record

__all__ = ["LogDamaged", "LogError", "LogFull", "LogLocked", "LogMismatch", "LogReader", "LogWriter"]

SEGMENT_BYTES = 64 * 2**20


class LogWriter:
    """Appends records. One writer a directory; opening cuts a torn tail and begins a new session."""

    def __init__(self, directory: Path, spec: FeatureSpec, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Create or reopen the log at `directory`.

        Raises LogLocked, LogMismatch, LogDamaged or LogFull.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._spec = spec
        self._segment = -1
        self._lock = -1
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _take_lock(directory)
            write_or_check_spec(directory, spec)
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
        last: Record | None = None
        paths = segments(self._directory)
        for path in reversed(paths):
            last, torn = _last_record(path, self._spec)
            if torn and path != paths[-1]:
                raise _damaged(path)
            self.cut_bytes += torn
            if last is not None:
                break
        self.next_seq = 0 if last is None else last.seq + 1
        """Sequence number of the next record."""
        self.session = 0 if last is None else last.session + 1
        """Number of this opening, stamped into every record."""
        self.last_episode = -1 if last is None else last.episode
        """Episode of the newest record, -1 in an empty log: go on with the next."""
        self._open_segment(paths[-1] if paths else self._path_of(0))

    def _path_of(self, number: int) -> Path:
        return self._directory / f"{number:08d}.seg"

    def _open_segment(self, path: Path) -> None:
        fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._segment >= 0:
            _sync_and_close_later(self._segment)
        self._segment = fresh
        self._number = int(path.stem)
        self._size = os.fstat(fresh).st_size

    def append(self, record: Record) -> int:
        """Write one record and return its sequence number. It survives this process, not yet a power cut.

        Raises LogFull with the log as it was before, ValueError when shapes are not the spec's.
        """
        data = pack_record(record, self._spec, self.session, self.next_seq)
        try:
            if self._size and self._size + len(data) > self._segment_bytes:
                self._open_segment(self._path_of(self._number + 1))
            self._write(data)
        except OSError as error:
            raise self._explained(error) from error
        self.next_seq += 1
        return self.next_seq - 1

    def _write(self, data: bytes) -> None:
        """All of `data`, or nothing."""
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

    def sync_soon(self) -> None:
        """Make everything appended so far survive a power cut, in the background: a slow disk may take seconds."""
        _sync_and_close_later(os.dup(self._segment))

    def close(self) -> None:
        """Sync and let another writer in. Closing twice is fine."""
        if self._segment >= 0:
            os.fdatasync(self._segment)
            os.close(self._segment)
            self._segment = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

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


class LogReader:
    """Reads a log from its start and follows it while it grows. Needs no lock and writes nothing."""

    def __init__(self, directory: Path, spec: FeatureSpec | None = None) -> None:
        """Follow the log at `directory`, which may not exist yet; `spec` is checked once there is one.

        Raises LogMismatch.
        """
        self._directory = directory
        self._wanted = spec
        self._number = 0
        self._offset = 0
        self._next_seq = 0
        self.spec = read_spec(directory, spec)
        """Shapes of the observations in this log; None until the writer has said."""

    @property
    def position(self) -> int:
        """Sequence number of the next record to be read; what a checkpoint remembers."""
        return self._next_seq

    def read_new(self, limit: int | None = None) -> list[Record]:
        """Every record that has become whole since the last call, at most `limit` of them, oldest first.

        A torn record is left for later: its writer may be in the middle of it, or the next one will cut it.
        Raises LogMismatch, or LogDamaged when sequence numbers jump.
        """
        if self.spec is None:
            self.spec = read_spec(self._directory, self._wanted)
        records: list[Record] = []
        while self.spec is not None:
            room = None if limit is None else limit - len(records)
            records += self._read_segment(self.spec, room)
            finished = limit is None or len(records) < limit
            if not finished or not self._path_of(self._number + 1).exists():
                break
            # The writer moved on, so this segment is complete: take what came in between, then follow.
            records += self._read_segment(self.spec, None if limit is None else limit - len(records))
            if limit is not None and len(records) == limit:
                break
            self._number, self._offset = self._number + 1, 0
        return records

    def _path_of(self, number: int) -> Path:
        return self._directory / f"{number:08d}.seg"

    def _read_segment(self, spec: FeatureSpec, limit: int | None) -> list[Record]:
        records: list[Record] = []
        path = self._path_of(self._number)
        if limit == 0 or not path.exists():
            return records
        with path.open("rb") as file:
            for record, end in read_records(file.fileno(), self._offset, spec):
                if record.seq != self._next_seq:
                    raise LogDamaged(
                        f"{path} goes on with record {record.seq} where {self._next_seq} was due;"
                        " records are missing. Start again from a copy of the log, or with a new run name."
                    )
                records.append(record)
                self._offset, self._next_seq = end, record.seq + 1
                if len(records) == limit:
                    break
        return records


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


def _last_record(path: Path, spec: FeatureSpec) -> tuple[Record | None, int]:
    """The last whole record of a segment, and how many torn bytes after it were cut. Raises LogDamaged.

    A whole record after broken bytes is damage: a writer that dies tears its last record only.
    """
    last: Record | None = None
    good = 0
    with path.open("r+b") as file:
        for last, good in read_records(file.fileno(), 0, spec):  # noqa: B007
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
