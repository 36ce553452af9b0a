"""The bus: what each servo answers to a request, as the protocol has it. Faults and time are added elsewhere."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from workers.emulator.registers import Reg
from workers.emulator.servo import Servo
from workers.emulator.wire import BROADCAST, Instruction, Request, frame

_DELAY_UNIT_S: Final = 2e-6  # of the return-delay register
_KEPT_WRITES: Final = 50_000
_ALWAYS_ANSWERED: Final = (Instruction.PING, Instruction.READ)


class Write(msgspec.Struct, frozen=True):
    """One write that reached a servo, for assertions; time is the machine's monotonic clock."""

    time_s: float
    servo: int
    address: int
    data: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A status frame of a servo, and how long after the request (or its predecessor) it starts."""

    servo: int
    data: bytes
    delay_s: float


class Bus:
    """Servos on one wire. Which are on it, and who is silent, may change from request to request."""

    def __init__(self) -> None:
        self.writes: deque[Write] = deque(maxlen=_KEPT_WRITES)
        self.requests = 0

    def answer(self, request: Request, servos: list[Servo], now_s: float) -> list[Reply]:
        """Carry a request out on these servos, and say what comes back, in the order of the wire."""
        self.requests += 1
        match request.instruction:
            case Instruction.SYNC_READ:
                return list(self._sync_read(request, servos))
            case Instruction.SYNC_WRITE:
                self._sync_write(request, servos, now_s)
                return []
        asked = [servo for servo in servos if request.servo in (servo.id, BROADCAST)]
        if request.servo == BROADCAST and request.instruction == Instruction.PING:
            asked.sort(key=lambda servo: servo.id)
        replies = []
        for servo in asked:
            answered = _answers(request, servo)  # before the write: it may change id, baud or reply level
            number, delay_s = servo.id, servo.memory[Reg.RETURN_DELAY] * _DELAY_UNIT_S
            data = self._carry_out(request, servo, now_s)
            if answered and data is not None:
                replies.append(Reply(number, frame(number, servo.error, data), delay_s))
        return list(_collided(replies))

    def _carry_out(self, request: Request, servo: Servo, now_s: float) -> bytes | None:
        """Parameters of the reply; None where the servo takes the request for nonsense and keeps silent."""
        params = request.params
        match request.instruction:
            case Instruction.PING:
                return b""
            case Instruction.READ if len(params) == 2:
                return servo.read(params[0], params[1])
            case Instruction.WRITE if len(params) >= 2:
                self._write(servo, params[0], params[1:], now_s)
                return b""
            case Instruction.REG_WRITE if len(params) >= 2:
                servo.pending = (params[0], params[1:])
                return b""
            case Instruction.ACTION:
                if servo.pending is not None:
                    address, data = servo.pending
                    servo.pending = None
                    self._write(servo, address, data, now_s)
                return b""
            case Instruction.RECOVERY:
                servo.restore_factory()
                return b""
            case Instruction.RESET:
                servo.power_on()
                return b""
        return None

    def _sync_read(self, request: Request, servos: list[Servo]) -> Iterator[Reply]:
        if len(request.params) < 3:
            return
        address, length = request.params[:2]
        for number in request.params[2:]:
            replies = []
            for servo in servos:
                if servo.id == number and (data := servo.read(address, length)) is not None:
                    delay_s = servo.memory[Reg.RETURN_DELAY] * _DELAY_UNIT_S
                    replies.append(Reply(number, frame(number, servo.error, data), delay_s))
            yield from _collided(replies)

    def _sync_write(self, request: Request, servos: list[Servo], now_s: float) -> None:
        if len(request.params) < 2:
            return
        address, length = request.params[:2]
        rest = request.params[2:]
        if length == 0 or len(rest) % (length + 1):
            return
        for at in range(0, len(rest), length + 1):
            for servo in servos:
                if servo.id == rest[at]:
                    self._write(servo, address, rest[at + 1 : at + 1 + length], now_s)

    def _write(self, servo: Servo, address: int, data: bytes, now_s: float) -> None:
        self.writes.append(Write(now_s, servo.id, address, tuple(data)))
        servo.write(address, data)


def _answers(request: Request, servo: Servo) -> bool:
    if request.servo == BROADCAST:
        return request.instruction == Instruction.PING
    return request.instruction in _ALWAYS_ANSWERED or servo.memory[Reg.REPLY_LEVEL] != 0


def _collided(replies: list[Reply]) -> Iterator[Reply]:
    """Servos of one id speak at once: a low bit of any of them wins on the wire."""
    by_id: dict[int, list[Reply]] = {}
    for reply in replies:
        by_id.setdefault(reply.servo, []).append(reply)
    for same in by_id.values():
        longest = max(same, key=lambda reply: len(reply.data))
        mixed = bytearray(longest.data)
        for reply in same:
            for at, byte in enumerate(reply.data):
                mixed[at] &= byte
        yield Reply(longest.servo, bytes(mixed), longest.delay_s)
