import numpy as np
import pytest

from workers.robot.drivers.sim import SimArm
from workers.robot.figures import LOWER_DEG, UPPER_DEG, model_joints, public_joints
from workers.robot.kinematics import Kinematics

KINEMATICS = Kinematics()


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
