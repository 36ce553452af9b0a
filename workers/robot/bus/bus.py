"""Exchanges on the bus: a request, and the replies that answer it within its time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from workers.robot.bus.debts import Debts
from workers.robot.bus.errors import NOISE, BusCorrupt, BusTimeout
from workers.robot.bus.packet import (
    BROADCAST,
    OVERHEAD,
    PING,
    READ,
    WRITE,
    Incoming,
    Reply,
    request,
    sync_read_request,
    sync_write_request,
)
from workers.robot.bus.port import Port

REPLY_S: Final = 0.02
"""Time for a reply beyond what its bytes take on the wire; a cycle on a good adapter needs 2 ms (measured p99)."""
QUIET_S: Final = 0.02
"""Silence on the line before the next request, after one that was not answered in full."""
RESTLESS_S: Final = 0.2  # a line that is not silent for so long never will be
LEAST: Final = 3
"""Bytes of data that a read asks for at least: with 2 the request itself would pass for a reply where it is echoed."""
MEMORY: Final = 87  # registers of the servo
LEAST_LAG_S, MOST_LAG_S = 0.00015, 0.0006  # from the last byte on the wire to the process that waits for it
LAG_STEP_S: Final = 0.000005
PING_ALL_S: Final = 0.8
"""Time for the answers to a call to everybody; servos wait their turn by their id, and LeRobot waits so long too."""


@dataclass(slots=True)
class BusCounters:
    """What happened since the port was opened."""

    requests: int = 0
    replies: int = 0
    missed: int = 0  # replies that did not come in time
    spoilt: int = 0  # packets with a wrong checksum
    doubted: int = 0  # replies that were torn, or of which there were two
    late: int = 0  # replies to an earlier request, known as such and thrown away
    drained: int = 0  # bytes found before a request
    skipped: int = 0  # bytes that belong to no reply
    echoes: int = 0  # requests that the adapter sent back
    missed_by: dict[int, int] = field(default_factory=dict)


class Bus:
    """Servos on one port. No method but those of the port waits longer than its own time."""

    def __init__(self, port: Port, reply_s: float = REPLY_S, quiet_s: float = QUIET_S) -> None:
        self.port = port
        self.counters = BusCounters()
        self.garbled: set[int] = set()
        """Servos that were missed last time though bytes came: no silence, but noise."""
        self.belated: set[int] = set()
        """Servos whose last reply came after its time."""
        self.reply_s, self._quiet_s = reply_s, quiet_s
        self._debts = Debts()
        self._last_byte_s = port.now_s() - quiet_s
        self._lag_s = LEAST_LAG_S
        self._restless = False

    @property
    def restless(self) -> bool:
        """Whether the next request waits for silence first, since one was not answered in full."""
        return self._restless

    def read(self, servo_id: int, address: int, length: int, reply_s: float | None = None) -> Reply:
        """`length` bytes from register `address` on. Raises BusTimeout, BusCorrupt and BusGone."""
        if self._is_lost(servo_id, self.port.now_s()):
            raise BusTimeout(f"servo {servo_id} does not answer")
        replies, incoming = self._read(
            (servo_id,),
            address,
            length,
            lambda start, size: request(servo_id, READ, bytes((start, size))),
            reply_s,
        )
        return _only(replies, servo_id, incoming)

    def sync_read(
        self, ids: Iterable[int], address: int, length: int, reply_s: float | None = None
    ) -> dict[int, Reply]:
        """`length` bytes of each servo that answered; the others are missing. Raises BusCorrupt and BusGone.

        A servo that was silent for long is asked once a second only.
        """
        asked = tuple(ids)
        if self._debts.any_lost:
            now_s = self.port.now_s()
            asked = tuple(servo_id for servo_id in asked if not self._is_lost(servo_id, now_s))
        if not asked:
            return {}
        return self._read(
            asked, address, length, lambda start, size: sync_read_request(start, size, asked), reply_s
        )[0]

    def write(self, servo_id: int, address: int, data: bytes) -> Reply:
        """Write registers of one servo, which says that it has.

        That answer has no length to know it by. Who needs to be sure reads back, as `workers.robot.drivers.servos`
        does. Raises BusTimeout, BusCorrupt and BusGone.
        """
        sent = request(servo_id, WRITE, bytes((address,)) + data)
        incoming = self._exchange(sent, {servo_id: 0}, None)
        return _only(incoming.replies, servo_id, incoming)

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """Write the same registers of several servos, each its own bytes; nobody answers. Raises BusGone."""
        if not data:
            return
        self._settle(waits=False)  # a servo that still had to answer has begun to by now
        self.port.write(sync_write_request(address, data))
        self.counters.requests += 1

    def ping(self, servo_id: int, reply_s: float | None = None) -> Reply:
        """Whether `servo_id` is there. Raises BusTimeout, BusCorrupt and BusGone."""
        incoming = self._exchange(request(servo_id, PING), {servo_id: 0}, reply_s)
        return _only(incoming.replies, servo_id, incoming)

    def ping_all(self, within_s: float = PING_ALL_S) -> dict[int, Reply]:
        """Everybody who says that they are there; of two servos with one id, or none. Raises BusGone, BusCorrupt."""
        return self._exchange(request(BROADCAST, PING), {BROADCAST: 0}, within_s).replies

    def _read(
        self,
        ids: tuple[int, ...],
        address: int,
        length: int,
        compose: Callable[[int, int], bytes],
        reply_s: float | None,
    ) -> tuple[dict[int, Reply], Incoming]:
        """Ask for at least `length` bytes: for a number of them that is owed by nobody."""
        size = self._debts.length(ids, max(length, LEAST), self.port.now_s())
        if size is None:
            raise BusTimeout("too many replies are still under way; the line is not usable")
        start = max(0, min(address, MEMORY - size))
        incoming = self._exchange(compose(start, size), dict.fromkeys(ids, size), reply_s)
        first = address - start
        return {
            servo_id: Reply(reply.error_bits, reply.data[first : first + length])
            for servo_id, reply in incoming.replies.items()
        }, incoming

    def _is_lost(self, servo_id: int, now_s: float) -> bool:
        lost = self._debts.lost(servo_id, now_s)
        if lost:
            self.counters.missed += 1
            self.counters.missed_by[servo_id] = self.counters.missed_by.get(servo_id, 0) + 1
        return lost

    def _exchange(self, sent: bytes, wanted: Mapping[int, int], reply_s: float | None) -> Incoming:
        """Send, and take what comes until every reply is there or the time is over."""
        self._settle()
        incoming = Incoming(sent, wanted)
        self.port.write(sent)
        begun_s = self._last_byte_s = self.port.now_s()
        wire_s = self._wire_s(sent, wanted)
        deadline_s = begun_s + (self.reply_s if reply_s is None else reply_s) + wire_s
        # They cannot all be here sooner, and whoever wakes for each costs as much as all the rest.
        self.port.rest(wire_s + self._lag_s)
        looks = 0
        while not incoming.complete:
            looks += 1
            left_s = deadline_s - self.port.now_s()
            chunk = self.port.read(left_s)
            if chunk:
                self._last_byte_s = self.port.now_s()
                incoming.feed(chunk)
            elif left_s <= 0.0:
                break  # even what came while nobody looked has been read
        incoming.finish()
        self._account(incoming, wanted)
        if incoming.complete:  # so that nine of ten exchanges need one look
            lag_s = self._lag_s + (9.0 if looks > 1 else -1.0) * LAG_STEP_S
            self._lag_s = min(max(lag_s, LEAST_LAG_S), MOST_LAG_S)
        return incoming

    def _wire_s(self, sent: bytes, wanted: Mapping[int, int]) -> float:
        """Seconds that request and replies take on the wire, ten bits a byte."""
        replies = sum(OVERHEAD + length for length in wanted.values())
        return (len(sent) + replies) * 10.0 / self.port.baud

    def _settle(self, waits: bool = True) -> None:
        """Throw away what came unasked; after a miss, wait for silence. Raises BusCorrupt where there is none."""
        restless = self._restless and waits
        until_s = self.port.now_s() + RESTLESS_S
        unasked = bytearray()
        wait_s = self._last_byte_s + self._quiet_s - self.port.now_s() if restless else 0.0
        while chunk := self.port.read(wait_s):
            unasked += chunk
            self._last_byte_s = self.port.now_s()
            if self._last_byte_s > until_s:
                raise BusCorrupt(
                    "bytes come on the line all the time, though nobody asked: is there another master?"
                )
            wait_s = self._quiet_s if restless else 0.0
        self._restless = self._restless and not waits
        if unasked:
            self.counters.drained += len(unasked)
            late = Incoming(b"", {})
            late.feed(bytes(unasked))
            self._forgive(late)

    def _forgive(self, incoming: Incoming) -> None:
        """Replies to earlier requests have come: nothing has to be kept clear of them any more."""
        for servo_id, length in incoming.strangers:
            if self._debts.settle(servo_id, length):
                self.counters.late += 1
                self.belated.add(servo_id)

    def _account(self, incoming: Incoming, wanted: Mapping[int, int]) -> None:
        counters = self.counters
        counters.requests += 1
        counters.replies += len(incoming.replies)
        counters.spoilt += incoming.spoilt
        counters.doubted += len(incoming.doubted)
        counters.skipped += incoming.skipped
        counters.echoes += incoming.echoed
        self._forgive(incoming)
        missing = [each for each in wanted if each not in incoming.replies and each != BROADCAST]
        if missing or self.garbled or self.belated:  # hardly ever
            self.belated -= incoming.replies.keys()
            self.garbled -= wanted.keys()
            torn = incoming.doubted | incoming.unreadable
            self.garbled.update(each for each in missing if incoming.noise or each in torn)
        self._restless = bool(missing) or BROADCAST in wanted
        for servo_id in missing:
            counters.missed += 1
            counters.missed_by[servo_id] = counters.missed_by.get(servo_id, 0) + 1
            self._debts.owe((servo_id,), wanted[servo_id], self.port.now_s())


def _only(replies: Mapping[int, Reply], servo_id: int, incoming: Incoming) -> Reply:
    """The one reply. Raises BusTimeout and BusCorrupt."""
    if servo_id in replies:
        return replies[servo_id]
    if incoming.spoilt or incoming.skipped or incoming.doubted:
        raise BusCorrupt(f"servo {servo_id} answers, but not readably: {NOISE}")
    raise BusTimeout(f"servo {servo_id} does not answer")
