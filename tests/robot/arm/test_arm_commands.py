"""The tools of a real arm as a person runs them: processes with a keyboard, on an emulated arm."""

import json
import time
from pathlib import Path

import pytest

from tests.emulators.bus import emulated_bus
from tests.robot.arm.arms import hold
from tests.robot.arm.tool import tool
from workers.robot.calibration import load_calibration
from workers.robot.figures import JOINT_NAMES

ONE_END = (-110.0, -100.0, -97.0, -95.0, -160.0, 0.0)
OTHER_END = (110.0, 100.0, 97.0, 95.0, 160.0, 100.0)


def test_a_scan_lists_the_servos_and_says_where_the_chain_breaks() -> None:
    with emulated_bus(plugged=JOINT_NAMES[:4]) as emulated, tool("scan-arm", "--port", emulated.port) as scan:
        assert scan.end() == 1
        assert scan.said.count(" 1000000   777") == 4
        assert "the chain breaks after id 4" in scan.said


def test_a_port_that_is_not_there_is_said_without_a_traceback() -> None:
    for arguments in (["scan-arm"], ["setup-motors"], ["calibrate", "--id", "it"]):
        with tool(*arguments, "--port", "/dev/ttyNoSuchArm") as run:
            assert run.end() == 2
            assert "find-port" in run.said
            assert "Traceback" not in run.said


def test_a_set_up_can_begin_anywhere() -> None:
    with emulated_bus(state="factory") as emulated:
        port = ("--port", emulated.port)
        with tool("setup-motors", *port, "--from", "wrist_flex") as setup:
            setup.wait_for("Plug in the servo of wrist_flex")
        with tool("setup-motors", *port, "--from", "wrist") as setup:
            assert setup.end() == 2
            assert "it can be gripper" in setup.said


@pytest.mark.parametrize("leader", [False, True])
def test_an_arm_is_calibrated_by_hand_and_its_file_is_lerobots(leader: bool, tmp_path: Path) -> None:
    path = tmp_path / "blue.json"
    path.write_text("{}")
    with emulated_bus(state="assembled", leader=leader, seed=4) as emulated:
        emulated.ask("store", joint="wrist_roll", register="TORQUE_ENABLE", value=1)
        arguments = ["--port", emulated.port, "--id", "blue", "--calibration-dir", str(tmp_path)]
        with tool("calibrate", *arguments, *(["--leader"] if leader else [])) as run:
            run.wait_for("Hold the arm")
            hold(emulated, (0.0,) * 5 + (50.0,))
            run.enter()
            run.wait_for("Move every joint")
            run.enter()
            run.wait_for("to both stops\n- ")
            for pose in (ONE_END, OTHER_END, (0.0,) * 5 + (50.0,)):
                hold(emulated, pose, 1.0)
                time.sleep(1.3)
            run.enter()
            assert run.end() == 0, run.said
        assert f"[{'env.teleop' if leader else 'env.robot'}]" in run.said
        assert json.loads(path.read_text()) == emulated.calibration()
        assert load_calibration(path).motors[2].id == 3
        assert path.with_suffix(".json.old").read_text() == "{}"


def test_a_file_is_written_to_the_servos() -> None:
    with emulated_bus(state="assembled", seed=4) as emulated, emulated_bus(seed=5) as model:
        path = model.write_calibration(Path(emulated.port).parent / "blue.json")
        arguments = ["--port", emulated.port, "--id", "blue", "--calibration-dir", str(path.parent)]
        with tool("calibrate", *arguments, "--from-file") as run:
            assert run.end() == 0, run.said
        assert emulated.calibration() == model.calibration()


def test_a_calibration_that_is_left_changes_nothing(tmp_path: Path) -> None:
    with emulated_bus() as emulated:
        before = emulated.calibration()
        arguments = ["--port", emulated.port, "--id", "blue", "--calibration-dir", str(tmp_path)]
        with tool("calibrate", *arguments) as run:
            run.wait_for("Move every joint")
            assert run.process.stdin is not None
            run.process.stdin.close()
            assert run.end() == 2
            assert "broken off" in run.said
        assert emulated.calibration() == before
        assert not list(tmp_path.iterdir())
