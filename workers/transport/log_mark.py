"""A mark of the newest records of a log, by which both ends of the link see that they mean the same log.

Epoch and sequence numbers do not tell: a log that was set back and then grew again has both, and so has a copy of
it on another machine that goes its own way.
"""

import struct
import zlib
from pathlib import Path

from workers.transport.codec import without_pictures
from workers.transport.log_reader import PackedReader
from workers.transport.record import FeatureSpec

RECORDS = 16  # the times of a step among them are like no other's; the end of an episode alone might be
_SESSION = struct.Struct("<I")


def mark_before(directory: Path, seq: int, spec: FeatureSpec) -> int | None:
    """CRC-32 over the records just before `seq`, pictures left out: JPEG changes those. None when they are not there.

    Raises LogDamaged, OSError.
    """
    first = max(0, seq - RECORDS)
    reader = PackedReader(directory)
    if not reader.go_to(first):
        return None
    records = reader.read_new(limit=seq - first) if seq else []
    if len(records) < seq - first:
        return None
    crc = 0
    for record in records:
        crc = zlib.crc32(
            _SESSION.pack(record.session) + without_pictures(record.kind, record.payload, spec), crc
        )
    return crc
