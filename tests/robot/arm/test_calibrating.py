"""Calibration on an emulated arm: from the hand to the EEPROM, and what a driver makes of it."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.bus import EmulatedBus, emulated_bus
from tests.robot.arm.opened import opened
from workers.robot.bus import Bus
from workers.robot.calibrate import Sweep, least_counts
from workers.robot.calibrating import Calibrating
from workers.robot.calibration import load_calibration, save_calibration
from workers.robot.drivers import ArmRefused
from workers.robot.drivers.feetech import FeetechArm
from workers.robot.drivers.servos import Profile
from workers.robot.figures import JOINT_NAMES, SO101_RANGE

LEAST = least_counts(SO101_RANGE)
LEG_S = 0.8
WRAPPING = (0, 4095, 10, 2048, 4000, 100)
"""The encoders' zero lies within the travel of almost every joint."""


def swept(emulated: EmulatedBus, work: Calibrating, ends_pct: tuple[float, float] = (0.0, 1.0)) -> Sweep:
    """Every joint by hand to one stop, to the other, and back."""
    sweep = work.begin()
    for share in (*ends_pct, 0.4):
        for index, joint in enumerate(JOINT_NAMES):
            half = (220.0, 200.0, 194.0, 190.0, 320.0, 110.0)[index] / 2
            value = 100.0 * share if joint == "gripper" else (2 * share - 1) * half
            emulated.ask("hand", joint=joint, value=value, over_s=LEG_S)
        until_s = time.monotonic() + LEG_S + 0.2
        while time.monotonic() < until_s:
            work.look(sweep)
            time.sleep(0.01)
    return sweep


def work_on(bus: Bus) -> Calibrating:
    return Calibrating(bus, "arm under test", LEAST)


def test_an_arm_is_calibrated_across_the_encoders_wrap_and_then_driven(tmp_path: Path) -> None:
    with emulated_bus(state="assembled", mounting=WRAPPING) as emulated:
        with opened(emulated) as bus:
            work = work_on(bus)
            sweep = swept(emulated, work)
            assert sweep.problems() == []
            calibration = sweep.calibration()
            work.write(calibration)
        assert is_limp(emulated)
        save_calibration(tmp_path / "a.json", calibration)
        emulated.power_cycle()
        arm = FeetechArm(emulated.port, load_calibration(tmp_path / "a.json"), "a.json", Profile())
        try:
            told = arm.read().joints_deg
            np.testing.assert_allclose(told, emulated.state()["deg"], atol=0.5)
        finally:
            arm.close()


def is_limp(emulated: EmulatedBus) -> bool:
    return not any(emulated.state()["torque"])


def test_a_calibration_that_is_broken_off_leaves_the_old_one() -> None:
    with emulated_bus() as emulated, opened(emulated) as bus:
        before = emulated.calibration()
        work = work_on(bus)
        sweep = work.begin()
        for _ in range(20):
            work.look(sweep)
        assert len(sweep.problems()) == 6
        assert emulated.calibration() == before


def test_a_second_calibration_starts_from_the_offsets_that_are_there() -> None:
    with emulated_bus() as emulated, opened(emulated) as bus:
        work = work_on(bus)
        before = emulated.calibration()
        calibration = swept(emulated, work).calibration()
        for name, motor in zip(JOINT_NAMES, calibration.motors, strict=True):
            assert abs(motor.homing_offset - before[name]["homing_offset"]) <= 3, name
        work.write(calibration)
        assert work.stored().differences(calibration) == []


def test_a_stiff_arm_is_seen_and_relaxed() -> None:
    with emulated_bus() as emulated, opened(emulated) as bus:
        work = work_on(bus)
        assert not work.is_stiff
        bus.write(3, 40, b"\1")
        assert work.is_stiff
        work.relax()
        assert not work.is_stiff


def test_a_joint_that_answers_only_sometimes_is_followed_all_the_same() -> None:
    with emulated_bus(state="assembled", mounting=WRAPPING) as emulated, opened(emulated, 0.004) as bus:
        emulated.rates(drop=0.05, corrupt=0.05, late=0.02, late_ms=30.0, seed=3)
        work = work_on(bus)
        sweep = swept(emulated, work)
        assert sweep.problems() == []
        work.write(sweep.calibration())
        emulated.clear()
        assert not work.stored().differences(sweep.calibration())


def test_a_chain_that_is_not_whole_is_refused_before_anything() -> None:
    broken = pytest.raises(ArmRefused, match="breaks after id 4")
    with emulated_bus(plugged=JOINT_NAMES[:4]) as emulated, opened(emulated) as bus, broken:
        work_on(bus)
