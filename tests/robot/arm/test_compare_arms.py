"""Leader and follower in one pose, as a person compares them: on two emulated arms."""

import contextlib
import time
from pathlib import Path

import pytest

from tests.emulators.bus import emulated_bus
from tests.robot.arm.arms import hold
from tests.robot.arm.tool import Tool, tool

POSE = (-100.0, -90.0, 80.0, 70.0, -60.0, 0.0)


def enter_until_told(run: Tool) -> None:
    """Both arms must have been looked at for a while; how long that takes depends on what else the machine does."""
    while run.process.poll() is None:
        with contextlib.suppress(BrokenPipeError):  # it has just told
            run.enter()
        time.sleep(0.5)


@pytest.mark.parametrize("apart_deg", [0.0, 4.0])
def test_a_pose_that_the_arms_tell_differently_names_the_joint(tmp_path: Path, apart_deg: float) -> None:
    with emulated_bus(seed=1, pose_deg=POSE) as follower, emulated_bus(seed=2, leader=True) as leader:
        hold(follower, POSE)
        hold(leader, (*POSE[:2], POSE[2] - apart_deg, *POSE[3:]))
        follower.write_calibration(tmp_path / "robot/blue.json")
        leader.write_calibration(tmp_path / "teleop/red.json")
        follower.ask("store", joint="wrist_roll", register="TORQUE_ENABLE", value=1)
        before = follower.calibration(), leader.calibration()
        arguments = ["--port", follower.port, "--id", "blue", "--calibration-dir", str(tmp_path / "robot")]
        arguments += ["--leader-port", leader.port, "--leader-id", "red"]
        arguments += ["--leader-calibration-dir", str(tmp_path / "teleop")]
        with tool("compare-arms", *arguments) as run:
            run.wait_for("The torque of the follower arm")
            run.enter()
            run.wait_for("elbow_flex", times=2)
            enter_until_told(run)
            assert run.end() == (1 if apart_deg else 0), run.said
        assert follower.state()["torque"] == [0] * 6
        assert (follower.calibration(), leader.calibration()) == before
    if apart_deg:
        assert "elbow_flex: the follower says 8" in run.said and "4.0° apart" in run.said
        assert run.said.count("apart. ") == 1
    else:
        assert "alike: the calibrations go together" in run.said


def test_an_arm_that_is_not_the_named_one_is_refused(tmp_path: Path) -> None:
    with emulated_bus(seed=1) as follower, emulated_bus(seed=2, leader=True) as leader:
        follower.write_calibration(tmp_path / "blue.json")
        leader.write_calibration(tmp_path / "red.json")
        folders = ["--calibration-dir", str(tmp_path), "--leader-calibration-dir", str(tmp_path)]
        ports = ["--port", leader.port, "--leader-port", follower.port]
        with tool("compare-arms", *ports, "--id", "blue", "--leader-id", "red", *folders) as run:
            assert run.end() == 2
        assert "is not the arm that" in run.said and "Traceback" not in run.said


def test_one_port_for_both_arms_is_called_that_and_not_in_use(tmp_path: Path) -> None:
    port, other_name = tmp_path / "ttyACM0", tmp_path / "by-id"
    other_name.symlink_to(port)
    arguments = ["--port", str(port), "--leader-port", str(other_name), "--id", "blue", "--leader-id", "red"]
    with tool("compare-arms", *arguments) as run:
        assert run.end() == 2
    assert "is the follower's port too" in run.said and "find-port" in run.said
