"""Faults of the bus, by script or by chance: what happens to requests and to replies on their way."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from workers.emulator.wire import Request


class Kind(StrEnum):
    """On the wire. `ids`, `position`, `instruction` and `register` narrow what it meets; `skip` lets some pass."""

    DROP = "drop"  # the reply is lost
    CORRUPT = "corrupt"  # bit `bit` of byte `byte` of the reply is flipped
    FORGE = "forge"  # byte `byte` of the reply's error and data is another, and the sum fits it
    LOSE_BYTE = "lose_byte"  # byte `byte` of the reply is lost
    TRUNCATE = "truncate"  # only the first `byte` bytes of the reply arrive
    LATE = "late"  # the reply comes `ms` later; those of other servos are on time
    DUPLICATE = "duplicate"  # the reply comes twice
    LOST = "lost"  # the request is not heard
    SILENT = "silent"  # a servo neither hears nor answers
    ECHO = "echo"  # the adapter sends the request back first
    FOREIGN = "foreign"  # `data` (hex) comes before the reply
    NOISE = "noise"  # `data` (hex) comes after the reply
    UNPLUG = (
        "unplug"  # the port goes: `when` the request is in, amid its reply (after `byte` bytes), or after it
    )


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted fault. It is spent after `count` hits; 0: only `clear` ends it."""

    kind: Kind
    ids: tuple[int, ...] = ()
    count: int = 1
    skip: int = 0
    position: int | None = None  # within the replies to one request, 0 first
    instruction: int | None = None
    register: int | None = None  # first register that the request names
    ms: float = 0.0
    byte: int = 0
    bit: int = 0
    data: str = ""
    when: str = "request"  # request | reply | answered


class Rates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Chances per reply (`lost`: per request), drawn from a seeded generator."""

    drop: float = 0.0
    corrupt: float = 0.0
    late: float = 0.0
    truncate: float = 0.0
    forge: float = 0.0
    lost: float = 0.0
    late_ms: float = 60.0
    seed: int = 0


@dataclass(slots=True)
class Piece:
    """Bytes of a reply, how much later than they should, and whether the port goes with them."""

    data: bytes
    late_s: float = 0.0
    unplug: bool = False


_BENDS: dict[Kind, Callable[[bytes, Fault], list[Piece]]] = {
    Kind.DROP: lambda reply, fault: [],
    Kind.CORRUPT: lambda reply, fault: [Piece(flipped(reply, fault.byte, fault.bit))],
    Kind.FORGE: lambda reply, fault: [Piece(forged(reply, fault.byte, fault.bit))],
    Kind.LOSE_BYTE: lambda reply, fault: [Piece(reply[: fault.byte] + reply[fault.byte + 1 :])],
    Kind.TRUNCATE: lambda reply, fault: [Piece(reply[: fault.byte])],
    Kind.LATE: lambda reply, fault: [Piece(reply, fault.ms / 1000)],
    Kind.DUPLICATE: lambda reply, fault: [Piece(reply), Piece(reply)],
    Kind.FOREIGN: lambda reply, fault: [Piece(bytes.fromhex(fault.data)), Piece(reply)],
    Kind.NOISE: lambda reply, fault: [Piece(reply + bytes.fromhex(fault.data))],
}


def flipped(data: bytes, byte: int, bit: int) -> bytes:
    """One bit of one byte the other way; past the end counts from the start again."""
    at = byte % len(data)
    return data[:at] + bytes((data[at] ^ (1 << bit),)) + data[at + 1 :]


def forged(reply: bytes, byte: int, bit: int) -> bytes:
    """As `flipped`, of the error bits and the data only, with the sum that such a reply has."""
    body = reply[2:4] + flipped(reply[4:-1], byte, bit)
    return reply[:2] + body + bytes((~sum(body) & 0xFF,))


class Faults:
    """What is scripted now, and what it has met."""

    def __init__(self) -> None:
        self._scripted: list[Fault] = []
        self._rates = Rates()
        self._chance = random.Random(0)
        self.met: dict[str, int] = {}

    def script(self, fault: Fault) -> None:
        self._scripted.append(fault)

    def rates(self, rates: Rates) -> None:
        self._rates = rates
        self._chance = random.Random(rates.seed)

    def clear(self) -> None:
        self._scripted.clear()
        self._rates = Rates()

    # requests

    def hears(self, request: Request) -> bool:
        """Whether the servos hear the request at all."""
        if self._hit(request, {Kind.LOST}) is not None:
            return False
        if self._rates.lost and self._chance.random() < self._rates.lost:
            self._count(Kind.LOST)
            return False
        return True

    def silent(self, servo: int) -> bool:
        return any(fault.kind is Kind.SILENT and servo in fault.ids for fault in self._scripted)

    def echoes(self, request: Request) -> bool:
        return self._hit(request, {Kind.ECHO}) is not None

    def unplugs(self, request: Request, when: str) -> bool:
        """Whether the port goes at this moment of the exchange."""
        return self._hit(request, {Kind.UNPLUG}, when=when) is not None

    # replies

    def bend(self, request: Request, servo: int, position: int, reply: bytes) -> list[Piece]:
        """What arrives of a reply."""
        fault = self._hit(request, {*_BENDS, Kind.UNPLUG}, servo, position, when="reply")
        if fault is not None:
            if fault.kind is Kind.UNPLUG:
                return [Piece(reply[: fault.byte], unplug=True)]
            return _BENDS[fault.kind](reply, fault)
        return self._by_chance(reply)

    def _by_chance(self, reply: bytes) -> list[Piece]:
        rates, chance = self._rates, self._chance
        if not (rates.drop or rates.corrupt or rates.late or rates.truncate or rates.forge):
            return [Piece(reply)]
        drawn = chance.random()
        for kind, rate in (
            (Kind.DROP, rates.drop),
            (Kind.CORRUPT, rates.corrupt),
            (Kind.LATE, rates.late),
            (Kind.TRUNCATE, rates.truncate),
            (Kind.FORGE, rates.forge),
        ):
            if drawn < rate:
                self._count(kind)
                fault = Fault(
                    kind=kind, byte=chance.randrange(len(reply)), bit=chance.randrange(8), ms=rates.late_ms
                )
                return _BENDS[kind](reply, fault)
            drawn -= rate
        return [Piece(reply)]

    def _hit(
        self,
        request: Request,
        kinds: set[Kind],
        servo: int | None = None,
        position: int | None = None,
        when: str = "",
    ) -> Fault | None:
        """The first scripted fault of these kinds that meets this; it is counted down."""
        for fault in self._scripted:
            if fault.kind not in kinds or (fault.kind is Kind.UNPLUG and fault.when != when):
                continue
            if fault.ids and (servo if servo is not None else request.servo) not in fault.ids:
                continue
            if fault.position is not None and position is not None and fault.position != position:
                continue
            if fault.instruction is not None and fault.instruction != request.instruction:
                continue
            if fault.register is not None and request.register != fault.register:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            self._count(fault.kind)
            if fault.count == 1:
                self._scripted.remove(fault)
            elif fault.count:
                fault.count -= 1
            return fault
        return None

    def _count(self, kind: Kind) -> None:
        self.met[kind] = self.met.get(kind, 0) + 1
