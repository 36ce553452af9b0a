"""An arm of ours on an emulated bus, and a judge who knows what its servos really said."""

import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tests.emulators.bus import EmulatedBus, emulated_bus
from workers.robot.bus.packet import OVERHEAD
from workers.robot.calibration import Calibration, load_calibration
from workers.robot.drivers import ArmReading
from workers.robot.drivers.feetech import FeetechArm, Opened, open_bus
from workers.robot.drivers.servos import Profile
from workers.robot.drivers.sts3215 import PRESENT_POSITION, STATE_ADDRESS, STATE_LENGTH
from workers.robot.figures import JOINT_NAMES

FOLLOWER, LEADER = Profile(), Profile(leader=True)


def calibration_of(emulated: EmulatedBus) -> Calibration:
    """What the servos of the emulated arm hold, through a file as LeRobot writes it."""
    with TemporaryDirectory() as folder:
        return load_calibration(emulated.write_calibration(Path(folder) / "arm.json"))


def hold(emulated: EmulatedBus, pose_deg: Sequence[float], over_s: float = 0.0) -> None:
    """Take every joint by hand to a pose, and keep it there; a limp arm would fall."""
    for joint, value in zip(JOINT_NAMES, pose_deg, strict=True):
        emulated.ask("hand", joint=joint, value=value, over_s=over_s)


def let_go(emulated: EmulatedBus) -> None:
    for joint in JOINT_NAMES:
        emulated.ask("let_go", joint=joint)


def open_arm(
    emulated: EmulatedBus,
    profile: Profile = FOLLOWER,
    supply_v: float | None = None,
    again: bool = False,
    opened: Opened = open_bus,
) -> FeetechArm:
    """The driver, with the calibration that the emulated arm holds."""
    calibration = calibration_of(emulated)
    return FeetechArm(emulated.port, calibration, "arm.json", profile, supply_v, again=again, opened=opened)


@contextmanager
def arm_on_bus(
    profile: Profile = FOLLOWER, opened: Opened = open_bus, **options: Any
) -> Iterator[tuple[FeetechArm, EmulatedBus]]:
    """A calibrated arm and its emulated bus; with a `pose_deg` a hand holds it there."""
    with emulated_bus(leader=profile.leader, **options) as emulated:
        if "pose_deg" in options:
            hold(emulated, options["pose_deg"])
        arm = open_arm(emulated, profile, opened=opened)
        try:
            yield arm, emulated
        finally:
            arm.close()


class Judge:
    """Compares what was accepted with what left the servos while it was asked for."""

    def __init__(self, emulated: EmulatedBus) -> None:
        self.accepted = self.missed = 0
        self.wrong: list[str] = []
        self._emulated, self._calibration = emulated, calibration_of(emulated)
        self._samples: list[tuple[float, float, int, float]] = []

    def read(self, arm: FeetechArm) -> ArmReading:
        """One reading, noted."""
        begun_s = time.monotonic()
        reading = arm.read()
        ended_s = time.monotonic()
        assert reading.health is not None
        for joint in range(6):
            if reading.health.misses[joint] == 0:
                self.accepted += 1
                self._samples.append((begun_s, ended_s, joint, float(reading.joints_deg[joint])))
            else:
                self.missed += 1
        return reading

    def judge(self) -> None:
        """Look all of it up. To be called before the emulator forgets: it keeps 20,000 replies."""
        if not self._samples:
            return
        said: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for reply in self._emulated.reads(self._samples[0][0]):
            data = bytes(reply["data"])
            size = len(data) - OVERHEAD
            at = STATE_ADDRESS - reply["register"]  # a long request begins before the block
            if 0 <= at <= size - STATE_LENGTH:
                counts = np.full(6, float(PRESENT_POSITION.decode(data[5 + at :])))
                joint = reply["servo"] - 1
                said[joint].append((reply["time_s"], float(self._calibration.public(counts)[joint])))
        for joint, each in said.items():
            times = [at_s for at_s, _ in each]
            for begun_s, ended_s, of, value in self._samples:
                true = each[bisect_left(times, begun_s) : bisect_right(times, ended_s)]
                if of == joint and not any(abs(value - place) < 1e-9 for _, place in true):
                    self.wrong.append(f"joint {joint}: {value}, the servo said {true}")
        self._samples.clear()
