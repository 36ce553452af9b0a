import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.robot.drivers.sim import RESET_POSE_DEG, SimArm
from workers.robot.figures import LOWER_DEG, UPPER_DEG, model_joints, public_joints
from workers.robot.kinematics import Kinematics

KINEMATICS = Kinematics()
RESET = np.array(RESET_POSE_DEG)


def test_forward_kinematics_agrees_with_the_simulator() -> None:
    arm, rng = SimArm(), np.random.default_rng(1)
    for _ in range(50):
        joints = rng.uniform(LOWER_DEG, UPPER_DEG)
        arm.place(joints)
        assert np.abs(KINEMATICS.forward(joints).position_m - arm.tool_position_m()).max() < 1e-6


def test_degrees_and_percent_survive_a_round_trip_through_radians() -> None:
    joints = np.array([10.0, -20.0, 30.0, -40.0, 50.0, 60.0])
    assert public_joints(model_joints(joints)) == pytest.approx(joints)
    assert (public_joints(model_joints(LOWER_DEG))[5], public_joints(model_joints(UPPER_DEG))[5]) == (
        pytest.approx(0.0, abs=1e-9),
        pytest.approx(100.0),
    )


@settings(max_examples=60, deadline=None)
@given(x=st.floats(0.18, 0.29), y=st.floats(-0.1, 0.1), z=st.floats(0.012, 0.06))
def test_inverse_reaches_points_near_the_table_with_the_tool_down(x: float, y: float, z: float) -> None:
    if np.hypot(x, y) > 0.29:
        return
    solution = KINEMATICS.inverse(np.array([x, y, z]), RESET)
    pose = KINEMATICS.forward(solution.joints_deg)
    assert solution.converged
    assert np.abs(pose.position_m - [x, y, z]).max() < 1e-4
    assert solution.tilt_rad < 0.1
    assert abs(KINEMATICS.heading_rad(solution.joints_deg)) < 0.05


@settings(max_examples=60, deadline=None)
@given(offsets=st.lists(st.floats(-10.0, 10.0), min_size=5, max_size=5))
def test_inverse_finds_the_position_of_any_pose_near_by(offsets: list[float]) -> None:
    joints = np.clip(np.add(RESET, [*offsets, 0.0]), LOWER_DEG, UPPER_DEG)
    target = KINEMATICS.position(joints)
    solution = KINEMATICS.inverse(target, RESET)
    assert solution.converged
    assert np.abs(KINEMATICS.position(solution.joints_deg) - target).max() < 1e-4


@settings(max_examples=40, deadline=None)
@given(target=st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_inverse_never_leaves_the_joint_limits_and_says_when_it_fails(target: list[float]) -> None:
    margin = Kinematics(margin_deg=2.0)
    solution = margin.inverse(np.array(target), RESET)
    arm = solution.joints_deg[:5]
    assert np.isfinite(arm).all()
    assert (arm >= LOWER_DEG[:5] + 2.0 - 1e-6).all() and (arm <= UPPER_DEG[:5] - 2.0 + 1e-6).all()
    missed = float(np.linalg.norm(margin.position(solution.joints_deg) - target))
    assert solution.converged == (missed < 1e-4)


def test_position_comes_before_direction() -> None:
    high = KINEMATICS.inverse(np.array([0.24, 0.0, 0.16]), RESET)
    assert high.converged and high.position_error_m < 1e-4
    assert high.tilt_rad > 0.2  # pointing straight down is out of reach up there
