"""What is said of an arm's configuration before anything moves."""

from pathlib import Path
from typing import Any

import pytest

from tests.altered import altered
from workers.config import load
from workers.config.ready import ready_config
from workers.robot.checks import problems

KINEMATICS = "env.processor.inverse_kinematics"
POSE = "env.processor.reset.fixed_reset_joint_positions"
RESET = load(ready_config()).env.reset_pose


def told(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [(".".join(path), text) for path, text in problems(altered(changes))]


def test_the_ready_configuration_is_fine() -> None:
    assert told({}) == []


def test_lerobot_s_example_pose_lies_in_its_example_bounds() -> None:
    bounds = {"min": [0.16, -0.08, 0.03], "max": [0.24, 0.2, 0.1]}
    assert told({POSE: [0, 0, 0, 90, 0, 5], f"{KINEMATICS}.end_effector_bounds": bounds}) == []


def test_a_missing_urdf_is_named() -> None:
    (problem,) = told({f"{KINEMATICS}.urdf_path": "no/such/arm.urdf"})
    assert problem == (f"{KINEMATICS}.urdf_path", "no such file: no/such/arm.urdf")


def test_a_urdf_of_something_else_names_the_joints_it_lacks_and_has(tmp_path: Path) -> None:
    path = tmp_path / "cart.urdf"
    path.write_text('<robot name="cart"><link name="a"/><link name="b"/>'
                    '<joint name="wheel" type="fixed"><parent link="a"/><child link="b"/></joint></robot>')  # fmt: skip
    ((key, text),) = told({f"{KINEMATICS}.urdf_path": str(path)})
    assert key == f"{KINEMATICS}.urdf_path"
    assert "no joint shoulder_pan" in text and "its joints are wheel" in text


def test_an_unknown_frame_gets_the_list_of_those_there_are() -> None:
    ((key, text),) = told({f"{KINEMATICS}.target_frame_name": "end_effector"})
    assert key == f"{KINEMATICS}.target_frame_name"
    assert 'no frame "end_effector"' in text and "gripper_frame_link" in text


def test_a_reset_pose_beyond_a_joint_s_limits_names_the_joint() -> None:
    found = told({POSE: [120.0, *RESET[1:]]})
    assert (found[0][0], found[0][1].split(" is outside")[0]) == (POSE, "shoulder_pan at 120 degrees")


@pytest.mark.parametrize(("axis", "index"), [("x", 0), ("y", 1), ("z", 2)])
def test_a_reset_pose_outside_the_bounds_says_on_which_axis_and_how_far(axis: str, index: int) -> None:
    low, high = [0.18, -0.12, 0.012], [0.32, 0.12, 0.16]
    low[index], high[index] = 0.5, 0.6
    ((key, text),) = told({f"{KINEMATICS}.end_effector_bounds": {"min": low, "max": high}})
    assert key == POSE
    assert (
        f"outside end_effector_bounds: {axis} is " in text
        and "cm below 0.5" in text
        and "Widen the bounds" in text
    )


def test_a_reset_pose_beyond_the_configured_limits_names_them() -> None:
    ((key, text),) = told({"env.robot.joint_limits_deg": {"shoulder_pan": [5.0, 20.0]}})
    assert key == POSE
    assert text == "shoulder_pan at 0 degrees is outside 5.0 to 20.0, from joint_limits_deg"


def test_limits_that_leave_a_joint_nowhere_to_go_are_told() -> None:
    ((key, text),) = told({"env.robot.joint_limits_deg": {"elbow_flex": [120.0, 130.0]}})
    assert key == "env.robot.joint_limits_deg.elbow_flex"
    assert "[120, 130] has nothing in common with" in text
