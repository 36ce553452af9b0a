"""What the learner's station tells, as events of this machine: of their sizes and letters nothing is taken on trust."""

import logging
from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec

from workers.model.events import ReportedEvent
from workers.transport.pb import learner_pb2 as pb
from workers.transport.text import TEXT_BYTES, printable

REPORT_BYTES = 256 * 2**10
_decoder: msgspec.msgpack.Decoder[ReportedEvent] = msgspec.msgpack.Decoder(ReportedEvent)
log = logging.getLogger(__name__)


class Reports:
    """Outlives connections, so that what is wrong with a learner's reports is said once."""

    def __init__(self) -> None:
        self.dropped = 0
        """Reports and events that were too large, or that this version cannot read."""

    def events(self, report: pb.Report) -> Iterator[ReportedEvent]:
        """The events of a report, safe to show."""
        if report.ByteSize() > REPORT_BYTES:
            self._drop(f"it has {report.ByteSize():,} bytes, {REPORT_BYTES:,} are the most")
            return
        for packed in report.events:
            try:
                yield _cleaned(_decoder.decode(packed))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                self._drop(printable(str(error)))

    def _drop(self, why: str) -> None:
        if not self.dropped:
            log.warning("something the learner reports is left out, now and whenever it comes again: %s", why)
        self.dropped += 1


def _cleaned(value: Any) -> Any:
    """`value` with every string in it made printable. Raises ValueError when one is too long."""
    match value:
        case Enum():
            return value
        case str():
            if len(value) > TEXT_BYTES:
                raise ValueError(f"a text of {len(value):,} letters, {TEXT_BYTES:,} are the most")
            return printable(value)
        case dict():
            return {_cleaned(key): _cleaned(one) for key, one in value.items()}
        case tuple():
            return tuple(_cleaned(one) for one in value)
        case msgspec.Struct():
            return type(value)(*map(_cleaned, msgspec.structs.astuple(value)))
    return value
