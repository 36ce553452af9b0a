"""LeRobot's own driver connects to, sets up, calibrates and drives the emulated arm, unmodified.

Needs `lerobot` (0.4.4 was used), in an environment of its own; skipped where it is not installed.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.bus import EmulatedBus, emulated_bus

so_follower = pytest.importorskip("lerobot.robots.so_follower", reason="lerobot is not installed")
so_leader = pytest.importorskip("lerobot.teleoperators.so_leader", reason="lerobot is not installed")
feetech = pytest.importorskip("lerobot.motors.feetech", reason="lerobot's feetech extra is not installed")


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[tuple[EmulatedBus, Any]]:
    with emulated_bus() as bus:
        bus.write_calibration(tmp_path / "arm.json")
        config = so_follower.SO101FollowerConfig(port=bus.port, id="arm", calibration_dir=tmp_path)
        yield bus, so_follower.SO101Follower(config)


def test_it_connects_to_a_calibrated_arm_without_a_question(follower: tuple[EmulatedBus, Any]) -> None:
    bus, robot = follower
    robot.connect(calibrate=False)
    assert robot.is_calibrated
    assert bus.state()["torque"] == [1] * 6
    robot.disconnect()
    assert bus.state()["torque"] == [0] * 6


def test_it_sees_the_degrees_that_the_arm_has_and_moves_it(follower: tuple[EmulatedBus, Any]) -> None:
    bus, robot = follower
    robot.connect(calibrate=False)
    seen = list(robot.get_observation().values())
    assert seen == pytest.approx(bus.state()["deg"], abs=1.0)
    goal = dict(zip(robot.action_features, [15.0, -60.0, 60.0, 40.0, -30.0, 50.0], strict=True))
    robot.send_action(goal)
    end_s = time.monotonic() + 10.0
    while max(abs(a - b) for a, b in zip(bus.state()["deg"], goal.values(), strict=True)) > 3.0:
        assert time.monotonic() < end_s, bus.state()
        time.sleep(0.05)
    robot.disconnect()


def test_its_configuration_is_in_the_registers(follower: tuple[EmulatedBus, Any]) -> None:
    bus, robot = follower
    bus.ask("store", joint="gripper", register="P", value=32)
    robot.connect(calibrate=False)
    gripper = bus.registers("gripper")
    assert (gripper[21], gripper[22], gripper[23], gripper[36]) == (16, 32, 0, 25)
    assert int.from_bytes(gripper[16:18], "little") == 500
    robot.disconnect()


def test_its_calibration_ends_in_file_and_eeprom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with emulated_bus(state="assembled", pose_deg=(0.0, 0.0, 0.0, 0.0, 0.0, 50.0)) as bus:
        config = so_follower.SO101FollowerConfig(port=bus.port, id="new", calibration_dir=tmp_path)
        robot = so_follower.SO101Follower(config)
        moved: list[str] = []

        def sweep(_: str = "") -> str:
            moved.append("asked")
            return ""

        def swept(*_: object, **__: object) -> bool:
            """Instead of ENTER: the hand takes every joint to both ends, a step a call."""
            joints = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "gripper"]
            if len(moved) - 1 >= 2 * len(joints):
                return True
            joint, end = joints[(len(moved) - 1) // 2], (len(moved) - 1) % 2
            span = (5.0, 95.0) if joint == "gripper" else (-80.0, 80.0)
            bus.ask("hand", joint=joint, value=span[end])
            time.sleep(0.15)
            moved.append(joint)
            return False

        monkeypatch.setattr("builtins.input", sweep)
        monkeypatch.setattr("lerobot.motors.motors_bus.enter_pressed", swept)
        robot.connect(calibrate=True)
        stored = json.loads((tmp_path / "new.json").read_text())
        assert stored == bus.calibration()
        assert stored["wrist_roll"] | {"homing_offset": 0} == {
            "id": 5, "drive_mode": 0, "homing_offset": 0, "range_min": 0, "range_max": 4095,
        }  # fmt: skip
        assert stored["elbow_flex"]["range_max"] - stored["elbow_flex"]["range_min"] > 1500
        robot.disconnect()


def test_a_leader_is_read_while_a_hand_moves_it(tmp_path: Path) -> None:
    with emulated_bus(leader=True) as bus:
        bus.write_calibration(tmp_path / "me.json")
        config = so_leader.SO101LeaderConfig(port=bus.port, id="me", calibration_dir=tmp_path)
        leader = so_leader.SO101Leader(config)
        leader.connect(calibrate=False)
        bus.ask("hand", joint="shoulder_pan", value=33.0, over_s=0.1)
        time.sleep(0.5)
        assert leader.get_action()["shoulder_pan.pos"] == pytest.approx(33.0, abs=0.3)
        assert bus.state()["torque"] == [0] * 6
        leader.disconnect()


def test_motor_set_up_gives_every_servo_its_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with emulated_bus(state="random", plugged=()) as bus:
        config = so_follower.SO101FollowerConfig(port=bus.port, id="new", calibration_dir=tmp_path)
        robot = so_follower.SO101Follower(config)
        left = ["gripper", "wrist_roll", "wrist_flex", "elbow_flex", "shoulder_lift", "shoulder_pan"]
        plugged: list[str] = []

        def plug_next(_: str = "") -> str:
            for joint in plugged:
                bus.ask("unplug_joint", joint=joint)
            plugged[:] = [left.pop(0)]
            bus.ask("plug", joint=plugged[0])
            return ""

        monkeypatch.setattr("builtins.input", plug_next)
        robot.setup_motors()
        names = list(robot.bus.motors)
        assert [bus.registers(name)[5] for name in names] == [1, 2, 3, 4, 5, 6]
        assert [bus.registers(name)[6] for name in names] == [0] * 6


def test_it_names_the_motor_that_is_missing(follower: tuple[EmulatedBus, Any]) -> None:
    bus, robot = follower
    bus.script("silent", ids=[3], count=0)
    with pytest.raises(RuntimeError, match="3"):
        robot.connect(calibrate=False)
