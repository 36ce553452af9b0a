"""Frames of the Feetech protocol, as the servos see them: FF FF, id, length, instruction, parameters, sum."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

BROADCAST: Final = 0xFE
_HEADER: Final = b"\xff\xff"
_LONGEST: Final = 250
_FORGOTTEN_S: Final = 0.02  # a frame that stops in the middle for so long is given up


class Instruction(IntEnum):
    """What a host can ask."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    RECOVERY = 0x06
    RESET = 0x0A
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass(frozen=True, slots=True)
class Request:
    """One frame of the host with a right sum."""

    servo: int
    instruction: int
    params: bytes
    raw: bytes

    @property
    def register(self) -> int:
        """The first that it names; -1 of one that names none."""
        return self.params[0] if self.params else -1


def frame(servo: int, code: int, params: bytes = b"") -> bytes:
    """A frame with its sum: of a request (code: instruction) or a status (code: error bits)."""
    body = bytes((servo, len(params) + 2, code)) + params
    return _HEADER + body + bytes((~sum(body) & 0xFF,))


class Listener:
    """Finds requests in a stream of bytes; what is no frame, or has a wrong sum, is passed over byte by byte."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._last_s = 0.0
        self.ignored = 0  # bytes passed over

    def hear(self, data: bytes, now_s: float) -> list[Request]:
        if self._heard and now_s - self._last_s > _FORGOTTEN_S:
            self.ignored += len(self._heard)
            self._heard.clear()
        self._last_s = now_s
        self._heard += data
        requests = []
        while (found := self._next()) is not None:
            requests.append(found)
        return requests

    def _next(self) -> Request | None:
        heard = self._heard
        while len(heard) >= 4:
            length = heard[3]
            if heard[:2] != _HEADER or heard[2] == 0xFF or not 2 <= length <= _LONGEST:
                self._skip()
                continue
            end = length + 4
            if len(heard) < end:
                return None
            if ~sum(heard[2 : end - 1]) & 0xFF != heard[end - 1]:
                self._skip()
                continue
            raw = bytes(heard[:end])
            del heard[:end]
            return Request(raw[2], raw[4], raw[5:-1], raw)
        return None

    def _skip(self) -> None:
        del self._heard[0]
        self.ignored += 1
