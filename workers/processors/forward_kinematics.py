"""ForwardKinematicsJointsToEE: the end-effector pose enters the state."""

import numpy as np

from workers.processors.features import Features, with_state
from workers.processors.scaling import scaled_gripper, scaled_position
from workers.processors.transition import Transition
from workers.robot.figures import Floats
from workers.robot.kinematics import Kinematics

_NAMES = (
    "ee.x", "ee.y", "ee.z", "ee.r11", "ee.r21", "ee.r31", "ee.r12", "ee.r22", "ee.r32", "ee.gripper_goal",
)  # fmt: skip


class ForwardKinematicsJointsToEE:
    """Adds the tool's position, its rotation and the commanded jaw position to the state.

    The rotation is given by the first two columns of its matrix: unlike angles or a rotation vector these
    have no jumps, least of all at "straight down" (Zhou et al. 2019, "On the Continuity of Rotation
    Representations in Neural Networks").
    """

    def __init__(
        self,
        kinematics: Kinematics,
        min_m: Floats,
        max_m: Floats,
        max_gripper_pos: float,
        closed_at: float = 0.0,
    ) -> None:
        self._kinematics, self._min_m, self._max_m = kinematics, min_m, max_m
        self._max_gripper_pos, self._closed_pct = max_gripper_pos, closed_at

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        return with_state(features, _NAMES)

    def __call__(self, transition: Transition) -> None:
        pose = self._kinematics.forward(transition.measured.joints_deg)
        opening_pct = abs(transition.period.gripper_goal_pct - self._closed_pct)
        values = (
            scaled_position(pose.position_m, self._min_m, self._max_m),
            pose.rotation[:, :2].T.ravel(),
            scaled_gripper(opening_pct, self._max_gripper_pos),
        )
        transition.add_state(self, np.concatenate(values), _NAMES)
