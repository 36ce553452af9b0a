"""Ten thousand reachable poses for each arm: the inverse comes back to all of them.

A target is the tool's pose (position and rotation) at joints drawn uniformly between the limits, each joint by
itself, with a fixed seed; where such a posture bends the arm into its own base or the table, it counts like any
other. Every solve begins at the same posture, the arm ahead and the tool down, and knows nothing of the others.
"""

import numpy as np
import pytest

from workers.robot.arm_model import builtin_model
from workers.robot.arms import ARMS, Arm
from workers.robot.figures import GRIPPER
from workers.robot.kinematics import Kinematics

pytestmark = pytest.mark.slow
TARGETS = 10_000
SEED = np.array([0.0, 0.0, 0.0, 90.0, 0.0, 30.0])


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_ten_thousand_reachable_poses_are_reached_to_a_millimetre_and_a_degree(arm: Arm) -> None:
    kinematics, rng = Kinematics(model=builtin_model(arm)), np.random.default_rng(0)
    low, high = kinematics.joints.lower_deg, kinematics.joints.upper_deg
    worst_m = worst_deg = 0.0
    for joints in rng.uniform(low, high, (TARGETS, GRIPPER + 1)):
        wanted = kinematics.forward(joints)
        solution = kinematics.inverse(wanted, SEED)
        found = kinematics.forward(solution.joints_deg)
        between = np.linalg.norm(np.cross(found.rotation[:, 2], wanted.rotation[:, 2]))
        worst_m = max(worst_m, float(np.linalg.norm(found.position_m - wanted.position_m)))
        worst_deg = max(worst_deg, float(np.degrees(np.arcsin(min(1.0, between)))))
        assert found.rotation[:, 2] @ wanted.rotation[:, 2] > 0.0
        assert (solution.joints_deg >= low - 1e-9)[:GRIPPER].all()
        assert (solution.joints_deg <= high + 1e-9)[:GRIPPER].all()
    assert worst_m <= 1e-3
    assert worst_deg <= 1.0  # of the whole direction, so of the pitch as well
