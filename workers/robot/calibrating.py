"""An arm on its bus in a person's hands: what `calibrate` and `compare` need read, and what was found written."""

import time

import numpy as np

from workers.robot.bus import Bus, BusCorrupt
from workers.robot.calibrate import Sweep
from workers.robot.calibration import Calibration
from workers.robot.drivers import ArmRefused
from workers.robot.drivers import sts3215 as sts
from workers.robot.drivers.servos import MOTOR_IDS, Servos, identify, match, stored_calibration
from workers.robot.figures import JOINT_NAMES, Floats

SETTLED_COUNTS = 40  # 3.5 degrees: a limp joint in a hand moves a little between two looks


class Calibrating:
    """One arm under calibration. Every method raises ArmRefused and BusGone.

    Nothing is written to the EEPROM before `write`: a calibration that is broken off leaves the old one.
    """

    def __init__(self, bus: Bus, what: str, least_counts: Floats) -> None:
        """Six servos of the right model answer. Torque stays as it is."""
        self._bus, self._least_counts = bus, least_counts
        self._servos = Servos(bus, what)
        identify(self._servos)

    @property
    def is_stiff(self) -> bool:
        """Whether any joint has torque: the arm falls when that goes."""
        return is_stiff(self._servos)

    def relax(self) -> None:
        """Torque off, and seen to be off."""
        relax(self._servos)

    def begin(self) -> Sweep:
        """A sweep from where the arm is."""
        offsets = {
            joint: self._servos.get(servo_id, sts.HOMING_OFFSET) for joint, servo_id in enumerate(MOTOR_IDS)
        }
        return Sweep(offsets, self._least_counts)

    def look(self, sweep: Sweep) -> None:
        """Show the sweep where the joints are now."""
        sweep.see(positions_on(self._bus), time.monotonic())

    def stored(self) -> Calibration:
        """What the servos hold."""
        return stored_calibration(self._servos)

    def write(self, calibration: Calibration) -> None:
        """Write offsets and ranges to the EEPROM, and see that they are there and the joints where they should be."""
        self.relax()  # a joint under torque would jump by the change of its offset
        before = self._actual(self.stored(), positions_on(self._bus))
        for servo_id, motor in zip(MOTOR_IDS, calibration.motors, strict=True):
            self._servos.put(servo_id, sts.HOMING_OFFSET, motor.homing_offset)
            self._servos.put(servo_id, sts.MIN_POSITION, motor.range_min)
            self._servos.put(servo_id, sts.MAX_POSITION, motor.range_max)
            self._servos.put(servo_id, sts.LOCK, 1)
        after = self._actual(calibration, positions_on(self._bus))
        for joint in before.keys() & after.keys():
            moved = (after[joint] - before[joint] + sts.STEPS // 2) % sts.STEPS - sts.STEPS // 2
            if abs(moved) > SETTLED_COUNTS:
                raise ArmRefused(
                    f"{self._servos.what}: {JOINT_NAMES[joint]} is {abs(moved) * 360 / sts.STEPS:.0f} degrees from "
                    "where it was before its offset was written. Was it moved? Calibrate again; if it stays so, the "
                    "servo's firmware reckons offsets in another way"
                )

    @staticmethod
    def _actual(calibration: Calibration, positions: dict[int, int]) -> dict[int, int]:
        """The encoder's own counts."""
        return {
            joint: position + calibration.motors[joint].homing_offset for joint, position in positions.items()
        }


class Standing:
    """A calibrated arm that a person holds: its torque is off, and it is only looked at.

    Raises ArmRefused where the servos hold another calibration, and BusGone.
    """

    def __init__(self, bus: Bus, what: str, calibration: Calibration, named: str) -> None:
        """`named`: where the calibration is from."""
        self.what, self.calibration = what, calibration
        self._bus, self._servos = bus, Servos(bus, what)
        identify(self._servos)
        match(self._servos, calibration, named, lambda _: "")

    @property
    def is_stiff(self) -> bool:
        """Whether any joint has torque: the arm falls when that goes."""
        return is_stiff(self._servos)

    def relax(self) -> None:
        """Torque off, and seen to be off."""
        relax(self._servos)

    def look(self) -> Floats | None:
        """Where the joints are, counts [6]; None where not all of them answered."""
        positions = positions_on(self._bus)
        return np.array([positions[i] for i in range(6)], float) if len(positions) == 6 else None


def is_stiff(servos: Servos) -> bool:
    """Whether any servo has torque, or may have."""
    replies = servos.sync_read(MOTOR_IDS, sts.TORQUE_ENABLE.address, sts.TORQUE_ENABLE.size)
    return len(replies) < len(MOTOR_IDS) or any(reply.data[0] for reply in replies.values())


def relax(servos: Servos) -> None:
    """Torque off, and seen to be off."""
    for servo_id in MOTOR_IDS:
        servos.put(servo_id, sts.TORQUE_ENABLE, 0)


def positions_on(bus: Bus) -> dict[int, int]:
    """Present position by joint, of the servos that answer."""
    try:
        replies = bus.sync_read(MOTOR_IDS, sts.PRESENT_POSITION.address, sts.PRESENT_POSITION.size)
    except BusCorrupt:
        return {}
    return {servo_id - 1: sts.PRESENT_POSITION.decode(reply.data) for servo_id, reply in replies.items()}
