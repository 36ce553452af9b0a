"""Freezing an arm in the servos' own numbers: no calibration, no limits, nothing that could be wrong or late.

The arm's joints get their present position as goal, and less torque. A joint at rest that only sags keeps its goal,
or it would sink further; the jaw keeps its own, and with it the grip.
"""

import time
from collections.abc import Callable
from typing import Final

from workers.robot.bus import Bus, SerialPort
from workers.robot.drivers.sts3215 import (
    GOAL_POSITION,
    PRESENT_POSITION,
    PRESENT_SPEED,
    TORQUE_LIMIT,
    value_in,
)

IDS: Final = (1, 2, 3, 4, 5, 6)
GRIPPER_ID: Final = 6
TORQUE_PERMILLE: Final = 400
_TRIES: Final = 3
_SAG_STEPS: Final = 30  # 2.6 degrees: what a servo at rest is off its goal under the arm's weight
_REST_STEPS_S: Final = 35
_APART_STEPS: Final = 40  # what a servo at full speed goes between two readings
_BLOCK: Final = PRESENT_SPEED.address + PRESENT_SPEED.size - GOAL_POSITION.address
_LAST_WORDS_S: Final = 0.004  # replies to the last request of a worker that died are still on the line


class Frozen:
    """An arm that is held where it was found. Opening it raises BusError."""

    def __init__(self, port: str) -> None:
        self._port = SerialPort(port, polite=False)  # an arm that nobody holds comes first
        try:
            time.sleep(_LAST_WORDS_S)
            self._bus = Bus(self._port)
            found = self._surely(GOAL_POSITION.address, _BLOCK, _agree)
            self.frozen_ids = tuple(sorted(found))
            goals = {
                servo_id: GOAL_POSITION.encode(value_in(memory, PRESENT_POSITION, GOAL_POSITION.address))
                for servo_id, memory in found.items()
                if servo_id != GRIPPER_ID and not _rests(memory)
            }
            if goals:
                self._bus.sync_write(GOAL_POSITION.address, goals)
            self._weaken()
        except BaseException:
            self._port.close()
            raise

    def close(self) -> None:
        """Give the port back; the servos go on holding."""
        self._port.close()

    def _weaken(self) -> None:
        """40 % of the torque, or what a joint has where that is less."""
        limits = self._surely(TORQUE_LIMIT.address, TORQUE_LIMIT.size, _are_equal)
        least = {
            servo_id: TORQUE_LIMIT.encode(min(TORQUE_PERMILLE, TORQUE_LIMIT.decode(data)))
            for servo_id, data in limits.items()
        }
        if least:
            self._bus.sync_write(TORQUE_LIMIT.address, least)

    def _surely(self, address: int, size: int, agree: Callable[[bytes, bytes], bool]) -> dict[int, bytes]:
        """What two readings agree on: one damaged packet of 256 passes its sum, and must not become a goal.

        A servo that gives no two such readings keeps its last goal, which is near it, and its torque.
        """
        sure: dict[int, bytes] = {}
        before = self._read(address, size)
        for _ in range(_TRIES):
            now = self._read(address, size)
            for servo_id, memory in now.items():
                if servo_id in before and agree(memory, before[servo_id]):
                    sure.setdefault(servo_id, memory)
            before = now
            if len(sure) == len(IDS):
                break
        return sure

    def _read(self, address: int, size: int) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for _ in range(_TRIES):
            missing = [servo_id for servo_id in IDS if servo_id not in found]
            found |= {
                servo_id: reply.data[:size]
                for servo_id, reply in self._bus.sync_read(missing, address, size).items()
            }
            if len(found) == len(IDS):
                break
        return found


def _agree(one: bytes, other: bytes) -> bool:
    """Whether two blocks of a servo's memory, from the goal on and milliseconds apart, can both be true."""
    here, there = (value_in(memory, PRESENT_POSITION, GOAL_POSITION.address) for memory in (one, other))
    return one[:2] == other[:2] and abs(here - there) <= _APART_STEPS


def _are_equal(one: bytes, other: bytes) -> bool:
    return one == other


def _rests(memory: bytes) -> bool:
    """Whether a servo is where it was sent, in a block of its memory from the goal on."""
    goal, here, speed = (
        value_in(memory, register, GOAL_POSITION.address)
        for register in (GOAL_POSITION, PRESENT_POSITION, PRESENT_SPEED)
    )
    return abs(goal - here) <= _SAG_STEPS and abs(speed) <= _REST_STEPS_S
