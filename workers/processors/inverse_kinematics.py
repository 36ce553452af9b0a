"""InverseKinematicsEEToJoints: end-effector deltas become joint goals."""

import numpy as np
from numpy.typing import NDArray

from workers.processors.transition import Command, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics

# The target may run this many steps ahead of the measured tool before it is pulled back: a blocked arm must
# not wind the target up to the far end of the workspace.
_LEAD_STEPS = 1.5


class InverseKinematicsEEToJoints:
    """Moves an EE target by `delta * step_sizes` within the workspace bounds; solves for joints, tool down.

    The reference is the last commanded target, so that sag and lag of the servos do not accumulate; the
    solver starts at its previous solution. The jaw's heading stays what it was at reset.
    """

    def __init__(self, kinematics: Kinematics, min_m: Floats, max_m: Floats, step_sizes_m: Floats) -> None:
        self._kinematics = kinematics
        self._min_m, self._max_m, self._step_sizes_m = min_m, max_m, step_sizes_m
        self._lead_m = float(_LEAD_STEPS * np.linalg.norm(step_sizes_m))
        self.target_m: Floats = np.zeros(3)

    def reset(self, reading: ArmReading) -> None:
        """Take the measured pose as reference: at the start of an episode, and whenever the arm was moved."""
        self._joints = reading.joints_deg.copy()
        self._heading_rad = self._kinematics.heading_rad(self._joints)
        self.target_m = self._kinematics.position(self._joints)

    def follow(self, reading: ArmReading) -> None:
        """Pull the target back to where the arm can be soon; called at the start of each period."""
        measured = self._kinematics.position(reading.joints_deg)
        ahead = self.target_m - measured
        distance = float(np.linalg.norm(ahead))
        if distance > self._lead_m:
            self.target_m = measured + ahead * (self._lead_m / distance)

    def nudge(self, delta: NDArray[np.floating]) -> Floats:
        """Move the target by `delta` [3] (in step sizes) now; returns joint goals [5] in degrees."""
        wanted = np.minimum(np.maximum(self.target_m + delta * self._step_sizes_m, self._min_m), self._max_m)
        solution = self._kinematics.inverse(wanted, self._joints, self._heading_rad)
        self._joints = solution.joints_deg
        self.target_m = wanted if solution.converged else self._kinematics.position(self._joints)
        return self._joints[:GRIPPER]

    def __call__(self, command: Command, period: Period) -> None:
        period.goal_deg[:GRIPPER] = self.nudge(command.action[:3])
