"""What a log directory holds, byte by byte: spec, segments, records, and what can be wrong with them."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from workers.transport.codec import decode, encode
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
    aside = directory / "spec.json.tmp"
    with aside.open("wb") as file:
        file.write(msgspec.json.encode(LogSpec(format=FORMAT, features=spec)))
        file.flush()
        os.fsync(file.fileno())
    aside.rename(directory / "spec.json")


def pack_record(record: Record, spec: FeatureSpec, session: int, seq: int) -> bytes:
    """Header and payload of one record. Raises ValueError when its shapes are not the spec's."""
    kind, payload = encode(record, spec)
    head = _HEADER.pack(_MAGIC, len(payload), kind, session, seq, zlib.crc32(payload))
    return b"".join((head, _HEADER_CRC.pack(zlib.crc32(head)), payload))


def read_records(file: int, offset: int, spec: FeatureSpec) -> Iterator[tuple[Record, int]]:
    """Whole records from `offset` on, each with the offset of its end, up to the first that is not whole."""
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
