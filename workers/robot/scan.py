"""Who is on a servo bus: every id at every baud rate, with model, firmware, voltage and what is wrong with it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workers.robot.bus import BAUDS, Bus, BusCorrupt, BusError, BusGone, BusTimeout
from workers.robot.bus.bus import PING_ALL_S
from workers.robot.bus.packet import GREATEST_ID
from workers.robot.drivers import sts3215 as sts
from workers.robot.drivers.servos import PATIENCE_S
from workers.robot.drivers.sts3215 import STATE_ADDRESS, STATE_LENGTH, errors_in_words, value_in

ARM_IDS: Final = tuple(range(1, 7))
PING_S: Final = (
    0.004  # beyond the bytes' own time; a servo answers within 0.5 ms as it comes from the factory
)
CALLS: Final = 2  # a broadcast to everybody: of servos whose answers meet on the wire, one call may lose some
TRIES: Final = 3
EACH_STEP: Final = 16  # ids between two words of progress
_TABLE: Final = (0, 40)  # the whole EEPROM


@dataclass(frozen=True, slots=True)
class Found:
    """One servo, as it answered."""

    servo_id: int
    baud: int
    model: int = 0
    firmware: str = ""
    voltage_v: float = 0.0
    temperature_c: int = 0
    position: int = 0
    homing_offset: int = 0
    errors: str = ""  # error bits in words
    unreadable: str = ""  # why nothing more is known of it

    @property
    def sound(self) -> bool:
        """An STS3215 that can be read."""
        return not self.unreadable and self.model == sts.MODEL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is."""

    baud: int
    done: int
    total: int


def scan(
    bus: Bus, every_id: bool = False, bauds: tuple[int, ...] = BAUDS, call_s: float = PING_ALL_S
) -> Iterator[Progress | Found]:
    """Search the bus; ends at the first of `bauds`. Raises BusGone.

    Args:
        every_id: ask each of the 254 ids by itself too, which finds servos that do not answer a call to everybody.
        call_s: how long the answers to such a call may take.
    """
    steps = 1 + (GREATEST_ID + 1) // EACH_STEP if every_id else 1
    total, done = steps * len(bauds), 0
    for baud in bauds:
        yield Progress(baud, done, total)
        if not set_baud(bus, baud):
            done += steps
            continue  # the adapter cannot do it
        ids = _called(bus, call_s)
        done += 1
        if every_id:
            for servo_id in range(GREATEST_ID + 1):
                if servo_id not in ids and is_there(bus, servo_id):
                    ids.add(servo_id)
                if servo_id % EACH_STEP == EACH_STEP - 1:
                    done += 1
                    yield Progress(baud, done, total)
        for servo_id in sorted(ids):
            yield look_at(bus, servo_id)
    set_baud(bus, bauds[0])
    yield Progress(bauds[0], total, total)


def set_baud(bus: Bus, baud: int) -> bool:
    """Whether the adapter can be set to `baud`. One that is not there any more says so at the next request."""
    try:
        bus.port.set_baud(baud)
    except BusGone:
        return False
    return True


def look_at(bus: Bus, servo_id: int) -> Found:
    """All there is to know of one servo that said it is there. Raises BusGone."""
    try:
        table = _patiently(bus, servo_id, *_TABLE)
        state = _patiently(bus, servo_id, STATE_ADDRESS, STATE_LENGTH)
    except BusCorrupt:
        why = "its replies are unreadable: two servos have this id, or noise on the line (a loose or damaged cable)"
        return Found(servo_id, bus.port.baud, unreadable=why)
    except BusTimeout:
        return Found(servo_id, bus.port.baud, unreadable="it answered once, and then no more: a loose cable")
    return Found(
        servo_id,
        bus.port.baud,
        model=value_in(table[1], sts.MODEL_NUMBER, 0),
        firmware=f"{table[1][0]}.{table[1][1]}",
        voltage_v=value_in(state[1], sts.PRESENT_VOLTAGE) * sts.VOLT_PER_COUNT,
        temperature_c=value_in(state[1], sts.PRESENT_TEMPERATURE),
        position=value_in(state[1], sts.PRESENT_POSITION),
        homing_offset=value_in(table[1], sts.HOMING_OFFSET, 0),
        errors=errors_in_words(state[0]),
    )


def verdict(found: list[Found]) -> list[str]:
    """What is to be said of a bus that should be a SO-100 or SO-101; empty when it is one and well."""
    if not found:
        return [
            "no servo answered at any baud rate: is the supply plugged in and switched on, is this the arm's port, "
            "and is the cable in the first servo?"
        ]
    lines = [f"id {each.servo_id}: {each.unreadable}" for each in found if each.unreadable]
    lines += [f"id {each.servo_id} reports {each.errors}" for each in found if each.errors]
    strange = [each for each in found if not each.unreadable and each.model != sts.MODEL]
    lines += [f"id {each.servo_id} is model {each.model}, no STS3215 ({sts.MODEL})" for each in strange]
    slow = [each for each in found if each.baud != BAUDS[0]]
    lines += [
        f"id {each.servo_id} speaks at {each.baud} baud, the arm at {BAUDS[0]}: hilserl-worker setup-motors"
        for each in slow
    ]
    ready = {each.servo_id for each in found if each.baud == BAUDS[0]}
    if missing := sorted(set(ARM_IDS) - ready):
        lines.append(_where_it_breaks(missing))
    if extra := sorted(ready - set(ARM_IDS)):
        told = ", ".join(map(str, extra))
        lines.append(f"id {told} belongs to no joint, those are 1 to 6: hilserl-worker setup-motors")
    if len({each.firmware for each in found if each.sound}) > 1:
        lines.append("the servos have different firmware: update them with Feetech's own tool")
    return lines


def _where_it_breaks(missing: list[int]) -> str:
    told = ", ".join(map(str, missing))
    causes = "its cable, the supply, or an id that was not set yet (hilserl-worker setup-motors)"
    if missing == list(range(missing[0], ARM_IDS[-1] + 1)) and missing[0] > 1:
        return f"id {told} did not answer: the chain breaks after id {missing[0] - 1}. Look at {causes}"
    return f"id {told} did not answer. Look at {causes}"


def _called(bus: Bus, call_s: float) -> set[int]:
    """The ids that answer a call to everybody; asked twice, and the arm's one by one, where there is anybody."""
    ids: set[int] = set()
    for _ in range(CALLS):
        before = _heard(bus)
        with contextlib.suppress(BusCorrupt):
            ids |= set(bus.ping_all(call_s))
        if not ids and _heard(bus) == before:
            return ids
    for servo_id in ARM_IDS:  # where two have one id, their answers may have spoilt one another's
        if servo_id not in ids and is_there(bus, servo_id):
            ids.add(servo_id)
    return ids


def _heard(bus: Bus) -> int:
    """Bytes that came and were no answer."""
    return bus.counters.skipped + bus.counters.drained


def is_there(bus: Bus, servo_id: int) -> bool:
    """Whether anybody answers to the id, readably or not."""
    try:
        bus.ping(servo_id, PING_S)
    except BusTimeout:
        return False
    except BusCorrupt:
        return True
    return True


def _patiently(bus: Bus, servo_id: int, address: int, length: int) -> tuple[int, bytes]:
    """Error bits and data. Raises BusTimeout and BusCorrupt when it never comes, BusGone.

    A computer under load may be busy for longer than three tries take: a servo that said it is there is asked for a
    while, before its cable is blamed.
    """
    last: BusError | None = None
    until_s, tries = bus.port.now_s() + PATIENCE_S, 0
    while tries < TRIES or bus.port.now_s() < until_s:
        tries += 1
        try:
            reply = bus.read(servo_id, address, length)
            return reply.error_bits, reply.data
        except BusGone:
            raise
        except BusError as error:
            last = error
    assert last is not None
    raise last
