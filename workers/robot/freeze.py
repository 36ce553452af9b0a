"""Freezing an arm in the servos' own numbers: no calibration, no limits, nothing that could be wrong or late.

The arm's joints get their present position as goal, and less torque. The jaw keeps its goal, and with it the grip.
"""

import time
from typing import Final

from workers.robot.bus import Bus, SerialPort
from workers.robot.drivers.sts3215 import GOAL_POSITION, PRESENT_POSITION, TORQUE_ENABLE, TORQUE_LIMIT

IDS: Final = (1, 2, 3, 4, 5, 6)
GRIPPER_ID: Final = 6
TORQUE_PERMILLE: Final = 400
_TRIES: Final = 3
_LAST_WORDS_S: Final = 0.004  # replies to the last request of a worker that died are still on the line


class Frozen:
    """An arm that is held where it was found. Opening it raises BusError."""

    def __init__(self, port: str) -> None:
        self._port = SerialPort(port)
        try:
            time.sleep(_LAST_WORDS_S)
            self._bus = Bus(self._port)
            here = self._read(PRESENT_POSITION.address, PRESENT_POSITION.size)
            self.frozen_ids = tuple(sorted(here))
            here.pop(GRIPPER_ID, None)
            if here:
                self._bus.sync_write(GOAL_POSITION.address, here)
            self._weaken()
        except BaseException:
            self._port.close()
            raise

    def close(self) -> None:
        """Give the port back; the servos go on holding."""
        self._port.close()

    def _weaken(self) -> None:
        """40 % of the torque, or what a joint has where that is less."""
        limits = self._read(TORQUE_LIMIT.address, TORQUE_LIMIT.size)
        least = {
            servo_id: TORQUE_LIMIT.encode(min(TORQUE_PERMILLE, TORQUE_LIMIT.decode(data)))
            for servo_id, data in limits.items()
        }
        if least:
            self._bus.sync_write(TORQUE_LIMIT.address, least)

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


def is_stiff(port: str) -> bool:
    """Whether the torque of an arm is on, in any joint. Raises BusError."""
    serial = SerialPort(port)
    try:
        replies = Bus(serial).sync_read(IDS, TORQUE_ENABLE.address, TORQUE_ENABLE.size)
        return any(reply.data[0] for reply in replies.values())
    finally:
        serial.close()
