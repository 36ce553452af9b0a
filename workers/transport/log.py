"""The transition log: append-only, checksummed, in segments, one writer, any number of readers.

Layout of a log directory:
    spec.json          format version and `FeatureSpec`, written before anything else
    writer.lock        held by the one writer (flock)
    00000000.seg ...   records, dense sequence numbers across segments

A record is a 32-byte header (magic, payload length, type, session, seq, CRC of the payload, CRC of the header)
and its payload. The header has a CRC of its own: without it a flipped length or seq could pass as another record.
A kill at any moment leaves whole records and at most one torn tail, which the next writer cuts and which readers
wait at. A writer that opens a log begins a new session, so an episode cut by a crash is recognised by its session.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from errno import EDQUOT, ENOSPC
from pathlib import Path
from types import TracebackType

import msgspec

from workers.transport.codec import decode, encode
from workers.transport.record import FeatureSpec, Record

SEGMENT_BYTES = 64 * 2**20
_FORMAT = 1
_MAGIC = 0x31_4C_53_48  # "HSL1"
_HEADER = struct.Struct("<IIIIQI")
_HEADER_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _HEADER_CRC.size


class LogError(Exception):
    """The log cannot be used; the message says why and what to do."""


class LogFull(LogError):
    """No room on the disk; nothing torn was left behind."""


class LogLocked(LogError):
    """Another process is writing this log."""


class LogMismatch(LogError):
    """The log holds observations of another shape than this run makes."""


class LogDamaged(LogError):
    """A record in the middle of the log fails its checksum."""


class LogSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Contents of spec.json."""

    format: int
    features: FeatureSpec


class LogWriter:
    """Appends records. One writer a directory; opening cuts a torn tail and begins a new session."""

    def __init__(self, directory: Path, spec: FeatureSpec, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Create or reopen the log at `directory`.

        Raises LogLocked, LogMismatch, LogDamaged or LogFull.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._spec = spec
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(directory)
        self._segment = -1
        try:
            _write_or_check_spec(directory, spec)
            self._recover()
        except BaseException:
            self.close()
            raise

    def _recover(self) -> None:
        """Find the end of the last whole record and cut what follows it."""
        self.cut_bytes = 0
        """Bytes of a torn record cut on opening."""
        last: Record | None = None
        paths = segments(self._directory)
        for index, path in enumerate(paths):
            good = 0
            with path.open("rb") as file:
                for record, good in _read_records(file.fileno(), 0, self._spec):  # noqa: B007
                    _check_seq(path, record, last)
                    last = record
            torn = path.stat().st_size - good
            if torn and index < len(paths) - 1:
                raise _damaged(path, good)
            if torn:
                _cut_tail(path, good, torn)
                self.cut_bytes = torn
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
        if self._segment >= 0:
            os.fdatasync(self._segment)
            os.close(self._segment)
        self._segment = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._number = int(path.stem)
        self._size = os.fstat(self._segment).st_size

    def append(self, record: Record) -> int:
        """Write one record and return its sequence number. It survives this process, not yet a power cut.

        Raises LogFull with the log as it was before, ValueError when shapes are not the spec's.
        """
        kind, payload = encode(record, self._spec)
        head = _HEADER.pack(_MAGIC, len(payload), kind, self.session, self.next_seq, zlib.crc32(payload))
        data = head + _HEADER_CRC.pack(zlib.crc32(head)) + payload
        if self._size and self._size + len(data) > self._segment_bytes:
            self._open_segment(self._path_of(self._number + 1))
        self._write(data)
        self.next_seq += 1
        return self.next_seq - 1

    def _write(self, data: bytes) -> None:
        """All of `data`, or nothing."""
        try:
            written = os.write(self._segment, data)
            while written < len(data):
                written += os.write(self._segment, data[written:])
        except OSError as error:
            os.ftruncate(self._segment, self._size)
            if error.errno in (ENOSPC, EDQUOT):
                raise LogFull(
                    f"The disk that holds {self._directory} is full: this step was not recorded, all before it"
                    " are safe. Free some space (old runs are the largest files) and go on."
                ) from error
            raise
        self._size += len(data)

    def sync(self) -> None:
        """Make everything appended so far survive a power cut (fdatasync; call it off the control path)."""
        os.fdatasync(self._segment)

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
            for record, end in _read_records(file.fileno(), self._offset, spec):
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


def segments(directory: Path) -> list[Path]:
    """Segment files, oldest first."""
    return sorted(directory.glob("[0-9]" * 8 + ".seg"))


def read_spec(directory: Path, wanted: FeatureSpec | None = None) -> FeatureSpec | None:
    """The log's own spec, None when there is none yet. Raises LogMismatch when it differs from `wanted`."""
    path = directory / "spec.json"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=LogSpec)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise LogMismatch(f"{path} cannot be read ({error}): not a log of this version") from error
    if found.format != _FORMAT:
        raise LogMismatch(f"{path} has log format {found.format}; this version reads format {_FORMAT}")
    different = wanted.differences(found.features) if wanted is not None else []
    if different:
        raise LogMismatch(
            f"The log in {directory} was recorded with other observations ({'; '.join(different)})."
            " Use the configuration it was recorded with, or a new run name."
        )
    return found.features


def _write_or_check_spec(directory: Path, spec: FeatureSpec) -> None:
    if read_spec(directory, spec) is not None:
        return
    aside = directory / "spec.json.tmp"
    with aside.open("wb") as file:
        file.write(msgspec.json.encode(LogSpec(format=_FORMAT, features=spec)))
        file.flush()
        os.fsync(file.fileno())
    aside.rename(directory / "spec.json")


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


def _read_records(file: int, offset: int, spec: FeatureSpec) -> Iterator[tuple[Record, int]]:
    """Whole records from `offset` on, each with the offset of its end; stops at the first that is not whole."""
    while True:
        head = os.pread(file, HEADER_BYTES, offset)
        if len(head) < HEADER_BYTES:
            return
        magic, length, kind, session, seq, payload_crc = _HEADER.unpack_from(head)
        (head_crc,) = _HEADER_CRC.unpack_from(head, _HEADER.size)
        if magic != _MAGIC or head_crc != zlib.crc32(head[: _HEADER.size]):
            return
        payload = os.pread(file, length, offset + HEADER_BYTES)
        if len(payload) < length or zlib.crc32(payload) != payload_crc:
            return
        offset += HEADER_BYTES + length
        yield replace(decode(kind, payload, spec), seq=seq, session=session), offset


def _check_seq(path: Path, record: Record, last: Record | None) -> None:
    expected = 0 if last is None else last.seq + 1
    if record.seq != expected:
        raise LogDamaged(
            f"{path} holds record {record.seq} where {expected} was due; copy it aside and start a new run"
        )


def _damaged(path: Path, offset: int) -> LogDamaged:
    return LogDamaged(
        f"{path} is damaged at byte {offset}, before newer segments: the disk may be failing."
        " Copy the directory aside and start a new run; the records before that byte can still be read."
    )


def _cut_tail(path: Path, good: int, torn: int) -> None:
    """Cut `torn` bytes after `good`: what a writer left when it died in the middle of one record.

    More than one record's worth of bytes with a whole record among them would be damage, not a torn tail.
    """
    with path.open("r+b") as file:
        file.seek(good)
        if _holds_a_record(file.read(torn)):
            raise _damaged(path, good)
        file.truncate(good)
        os.fsync(file.fileno())


def _holds_a_record(data: bytes) -> bool:
    """Whether a whole record header is found beyond the start of `data`."""
    mark = struct.pack("<I", _MAGIC)
    at = data.find(mark, 1)
    while at >= 0:
        head = data[at : at + HEADER_BYTES]
        if len(head) == HEADER_BYTES and zlib.crc32(head[:-4]) == _HEADER_CRC.unpack(head[-4:])[0]:
            return True
        at = data.find(mark, at + 1)
    return False
