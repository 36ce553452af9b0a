"""A port in memory with a clock of its own: what arrives, and when, is written down beforehand or by a servo."""

import heapq
from collections.abc import Callable

from workers.robot.bus.packet import READ, SYNC_READ, WRITE, checksum

Answer = Callable[[bytes], list[tuple[float, bytes]]]
"""From a request to what arrives: (seconds after it, bytes)."""


class FakePort:
    """A port whose other end is `answer`; time passes only while somebody waits."""

    def __init__(self, answer: Answer, baud: int = 1_000_000) -> None:
        self.name, self.baud = "fake", baud
        self.sent: list[bytes] = []
        self.time_s = 100.0
        self._answer = answer
        self._coming: list[tuple[float, int, bytes]] = []
        self._count = 0

    def arrive(self, delay_s: float, data: bytes) -> None:
        self._count += 1
        heapq.heappush(self._coming, (self.time_s + delay_s, self._count, data))

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        for delay_s, reply in self._answer(data):
            self.arrive(delay_s, reply)

    def read(self, timeout_s: float) -> bytes:
        until_s = self.time_s + max(timeout_s, 0.0)
        if not self._coming or self._coming[0][0] > until_s:
            self.time_s = until_s
            return b""
        self.time_s = max(self.time_s, self._coming[0][0])
        chunk = b""
        while self._coming and self._coming[0][0] <= self.time_s:
            chunk += heapq.heappop(self._coming)[2]
        return chunk

    def rest(self, time_s: float) -> None:
        self.time_s += time_s

    def set_baud(self, baud: int) -> None:
        self.baud = baud

    def now_s(self) -> float:
        return self.time_s

    def close(self) -> None:
        self._coming.clear()


def status(servo_id: int, data: bytes = b"", error: int = 0) -> bytes:
    """A servo's reply."""
    body = bytes((servo_id, len(data) + 2, error)) + data
    return b"\xff\xff" + body + bytes((checksum(body),))


class FakeServos:
    """Servos with nothing but memory, in which the moment is written wherever they are read.

    `moment` counts requests; the first two bytes of every reply at register 56 hold it: a stale one shows.
    """

    def __init__(self, ids: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> None:
        self.memory = {each: bytearray(256) for each in ids}
        self.moment = 0
        self.delay_s: Callable[[int], float] = lambda servo_id: 0.001
        self.mangle: Callable[[int, bytes], bytes] = lambda servo_id, reply: reply

    def __call__(self, request: bytes) -> list[tuple[float, bytes]]:
        self.moment += 1
        servo_id, instruction = request[2], request[4]
        parameters = request[5:-1]
        for memory in self.memory.values():
            memory[56:58] = (self.moment & 0x7FFF).to_bytes(2, "little")
        if instruction == READ:
            return self._reply((servo_id,), parameters[0], parameters[1])
        if instruction == SYNC_READ:
            return self._reply(tuple(parameters[2:]), parameters[0], parameters[1])
        if instruction == WRITE and servo_id in self.memory:
            self.memory[servo_id][parameters[0] : parameters[0] + len(parameters) - 1] = parameters[1:]
            return [(self.delay_s(servo_id), self.mangle(servo_id, status(servo_id)))]
        return []

    def _reply(self, ids: tuple[int, ...], address: int, length: int) -> list[tuple[float, bytes]]:
        return [
            (
                self.delay_s(each),
                self.mangle(each, status(each, bytes(self.memory[each][address : address + length]))),
            )
            for each in ids
            if each in self.memory
        ]
