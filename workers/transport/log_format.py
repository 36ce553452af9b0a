"""What a log directory holds, byte by byte: spec, segments, records, and what can be wrong with them."""

import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from workers.transport.codec import decode, encode_in_parts
from workers.transport.record import FeatureSpec, Record

FORMAT = 1
_MAGIC = 0x314C5348  # "HSL1"
_HEADER = struct.Struct("<IIIIQI")
_HEADER_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _HEADER_CRC.size


class LogError(Exception):
    """The log cannot be used; the message says why and what to do."""


class LogFull(LogError):
    """No room on the disk; nothing torn was left behind."""


class LogUnsaved(LogError):
    """The disk did not take what was written: what the log holds is what it holds when it is opened again."""


class LogLocked(LogError):
    """Another process is writing this log."""


class LogMismatch(LogError):
    """The log holds observations or actions of another shape than this run makes."""


class LogDamaged(LogError):
    """A record in the middle of the log fails its checksum."""


class LogSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Contents of spec.json."""

    format: int
    features: FeatureSpec


class PackedRecord(NamedTuple):
    """One record as it lies in a log and travels; its payload is not decoded."""

    kind: int
    session: int
    seq: int
    payload: bytes
    crc32: int
    """Of the payload."""

    def unpacked(self, spec: FeatureSpec) -> Record:
        """The record itself. Raises RecordFormatError."""
        return replace(decode(self.kind, self.payload, spec), seq=self.seq, session=self.session)

    def packed(self) -> bytes:
        """Header and payload, as in a segment."""
        return self.header(len(self.payload)) + self.payload

    def header(self, length: int) -> bytes:
        """What comes before a payload of `length` bytes."""
        head = _HEADER.pack(_MAGIC, length, self.kind, self.session, self.seq, self.crc32)
        return head + _HEADER_CRC.pack(zlib.crc32(head))


def segment_path(directory: Path, number: int) -> Path:
    """File of the segment with this number."""
    return directory / f"{number:08d}.seg"


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
    if found.format != FORMAT:
        raise LogMismatch(f"{path} has log format {found.format}; this version reads format {FORMAT}")
    different = wanted.differences(found.features) if wanted is not None else []
    if different:
        raise LogMismatch(
            f"The log in {directory} was recorded with other observations or actions ({'; '.join(different)})."
            " Use the configuration it was recorded with, or a new run name."
        )
    return found.features


def write_or_check_spec(directory: Path, spec: FeatureSpec) -> None:
    if read_spec(directory, spec) is not None:
        return
    _write_once(directory / "spec.json", msgspec.json.encode(LogSpec(format=FORMAT, features=spec)))


def read_epoch(directory: Path) -> int | None:
    """The number this log drew when it was made, 64 random bits; None where no writer has opened it yet.

    It tells a log that was wiped and begun anew from the one that was there before. Raises LogMismatch.
    """
    path = directory / "epoch"
    try:
        return int(path.read_bytes().decode("ascii"), 16) & 2**64 - 1
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LogMismatch(f"{path} cannot be read: not a log of this version") from error


def write_or_check_epoch(directory: Path, wanted: int | None = None) -> int:
    """The log's epoch: the one it has, else `wanted`, else a new one. Raises LogMismatch when it is not `wanted`."""
    found = read_epoch(directory)
    if found is None:
        found = secrets.randbits(64) if wanted is None else wanted
        _write_once(directory / "epoch", f"{found:016x}".encode())
    if wanted is not None and found != wanted:
        raise LogMismatch(f"{directory} is the log with epoch {found:016x}, not {wanted:016x}")
    return found


def _write_once(path: Path, data: bytes) -> None:
    """A small file, for its owner only, that is there whole or not at all."""
    aside = path.with_name(path.name + ".tmp")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names of files in `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pack_record(record: Record, spec: FeatureSpec, session: int, seq: int) -> bytes:
    """Header and payload of one record. Raises ValueError when its shapes are not the spec's."""
    kind, parts = encode_in_parts(record, spec)
    length = crc32 = 0
    for part in parts:
        length += memoryview(part).nbytes
        crc32 = zlib.crc32(part, crc32)
    return b"".join((PackedRecord(kind, session, seq, b"", crc32).header(length), *parts))


def read_head(file: int, offset: int) -> tuple[PackedRecord, int] | None:
    """Header of the record at `offset` (its payload left empty) and the length of the payload; None if not whole."""
    return _parse_head(os.pread(file, HEADER_BYTES, offset))


def _parse_head(head: bytes) -> tuple[PackedRecord, int] | None:
    if len(head) < HEADER_BYTES:
        return None
    magic, length, kind, session, seq, payload_crc = _HEADER.unpack_from(head)
    (head_crc,) = _HEADER_CRC.unpack_from(head, _HEADER.size)
    if magic != _MAGIC or head_crc != zlib.crc32(head[: _HEADER.size]):
        return None
    return PackedRecord(kind, session, seq, b"", payload_crc), length


def read_packed(file: int, offset: int) -> Iterator[tuple[PackedRecord, int]]:
    """Whole records from `offset` on, each with the offset of its end, up to the first that is not whole."""
    while (found := read_head(file, offset)) is not None:
        head, length = found
        payload = os.pread(file, length, offset + HEADER_BYTES)
        if len(payload) < length or zlib.crc32(payload) != head.crc32:
            return
        offset += HEADER_BYTES + length
        yield head._replace(payload=payload), offset


def split_packed(data: bytes) -> Iterator[PackedRecord]:
    """Records that lie one after the other in `data`. Raises ValueError where one is not whole."""
    offset = 0
    while offset < len(data):
        found = _parse_head(data[offset : offset + HEADER_BYTES])
        if found is None:
            raise ValueError(f"no record begins at byte {offset}")
        head, length = found
        offset += HEADER_BYTES + length
        if offset > len(data):
            raise ValueError(f"record {head.seq} is not whole")
        payload = data[offset - length : offset]
        if zlib.crc32(payload) != head.crc32:
            raise ValueError(f"record {head.seq} fails its checksum")
        yield head._replace(payload=payload)


def holds_a_header(data: bytes) -> bool:
    """Whether a whole record header is found beyond the start of `data`."""
    mark = struct.pack("<I", _MAGIC)
    at = data.find(mark, 1)
    while at >= 0:
        head = data[at : at + HEADER_BYTES]
        if len(head) == HEADER_BYTES and zlib.crc32(head[:-4]) == _HEADER_CRC.unpack(head[-4:])[0]:
            return True
        at = data.find(mark, at + 1)
    return False
