"""InverseKinematicsEEToJoints: end-effector deltas become joint goals."""

import numpy as np
from numpy.typing import NDArray

from workers.processors.errors import ProcessorError
from workers.processors.features import Features, vector
from workers.processors.transition import Command, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats
from workers.robot.kinematics import Kinematics

# The target may run this many steps ahead of the measured tool before it is pulled back: a blocked arm must
# not wind the target up to the far end of the workspace.
_LEAD_STEPS = 1.5
AXES = 3

SAG_DEG = 5.0
"""Further from its goal, a joint was moved by somebody or is blocked."""


def held_joints(step: object, reading: ArmReading | None) -> Floats:
    """Joints [6] from which `step` goes on: where the arm is held.

    That is its goal where sag alone can have kept it from there, else as measured: from a measured pose a first
    action would take the sag along, and the arm would sag anew from there. Raises ProcessorError when a measured
    joint is not a finite number.
    """
    assert reading is not None, "joint goals need an arm"
    joints, goal = reading.joints_deg.copy(), reading.goal_deg[:GRIPPER]
    if not np.isfinite(joints).all():
        wrong = [name for name, deg in zip(JOINT_NAMES, joints, strict=True) if not np.isfinite(deg)]
        raise ProcessorError(step, f"{', '.join(wrong)}: the measured position is not a finite number")
    if np.isfinite(goal).all() and np.abs(goal - joints[:GRIPPER]).max() <= SAG_DEG:
        joints[:GRIPPER] = goal
    return joints


class InverseKinematicsEEToJoints:
    """Moves an EE target by `delta * step_sizes` within the workspace bounds; solves for joints, direction kept.

    The reference is the last commanded target, so that sag and lag of the servos do not accumulate; the
    solver starts at its previous solution. At the first command of a period the target is pulled back to where
    the arm can be soon. What bounds, reach or speed cut off is taken out of `Period.executed`.
    """

    axes = AXES

    def __init__(
        self, kinematics: Kinematics, min_m: Floats, max_m: Floats, step_sizes_m: Floats, most_deg: float
    ) -> None:
        """`most_deg`: how far a joint may go in one period."""
        self._kinematics, self._most_deg = kinematics, most_deg
        self._min_m, self._max_m, self._step_sizes_m = min_m, max_m, step_sizes_m
        self._lead_m = float(_LEAD_STEPS * np.linalg.norm(step_sizes_m))
        self.target_m: Floats = np.zeros(AXES)

    def reset(self, reading: ArmReading | None) -> None:
        """Take the pose in which the arm is held as reference: at the start of an episode, and whenever it was moved.

        Raises ProcessorError when a joint is not a finite number.
        """
        self._joints = self._start = held_joints(self, reading)
        self._reference = self._kinematics.reference(self._joints)
        self.target_m = self._begun_m = self._kinematics.position(self._joints)

    def features(self, features: Features) -> Features:
        return {
            **features,
            "joint_goal": vector("float64", tuple(f"{joint}.pos" for joint in JOINT_NAMES[:GRIPPER])),
        }

    def __call__(self, command: Command, period: Period) -> None:
        measured = command.complementary_data.get("raw_joint_positions")
        if period.commands == 0:
            self._start = self._joints
            if measured is not None:
                self._follow(measured)
            self._begun_m = self.target_m
        before = self.target_m
        delta = command.action[:AXES]
        self._nudge(delta)
        period.goal_deg[:GRIPPER] = self._joints[:GRIPPER]
        moved = (self.target_m - before) / self._step_sizes_m
        period.executed[:AXES] = np.clip(period.executed[:AXES] + moved - delta, -1.0, 1.0)

    def halt(self, reading: ArmReading, period: Period) -> None:
        """Make the newest goal that went to the servos the end of this period's way, in place of the way's own.

        The jaw keeps its command: it is discrete, and letting go halfway would drop what it holds.
        """
        goal_deg = reading.goal_deg if np.isfinite(reading.goal_deg).all() else reading.joints_deg
        if not np.isfinite(goal_deg).all():
            return
        self._joints = self._joints.copy()
        self._joints[:GRIPPER] = period.goal_deg[:GRIPPER] = goal_deg[:GRIPPER]
        self.target_m = self._kinematics.position(self._joints)
        way_m = self.target_m - self._begun_m
        period.executed[:AXES] = np.clip(way_m / self._step_sizes_m, -1.0, 1.0)

    def lead(self, posture_deg: Floats, period: Period) -> None:
        """Go towards another posture [6], as far as joints may go in a period, and take its direction along."""
        way = posture_deg - self._joints
        way[:GRIPPER] = np.clip(way[:GRIPPER], -self._most_deg, self._most_deg)
        self._joints = self._joints + way
        self._reference = self._kinematics.reference(self._joints)
        self.target_m = self._kinematics.position(self._joints)
        period.goal_deg[:] = self._joints

    def moved(self, from_deg: Floats, to_deg: Floats) -> Floats:
        """Motion [3], in step sizes, between two joint goals [6]: what was carried out of a narrowed action."""
        way_m = self._kinematics.position(to_deg) - self._kinematics.position(from_deg)
        motion: Floats = np.clip(way_m / self._step_sizes_m, -1.0, 1.0)
        return motion

    def _follow(self, measured_deg: Floats) -> None:
        measured = self._kinematics.position(measured_deg)
        ahead = self.target_m - measured
        distance = float(np.linalg.norm(ahead))
        if distance > self._lead_m:
            self.target_m = measured + ahead * (self._lead_m / distance)

    def _nudge(self, delta: NDArray[np.floating]) -> None:
        """Move the target by `delta` [3] (in step sizes) now, as far as bounds, reach and speed allow.

        Where the whole way cannot be gone, each axis goes by itself: at the edge of its reach the arm slides
        along, and the other axes stay where they were asked to be.
        """
        wanted = np.minimum(np.maximum(self.target_m + delta * self._step_sizes_m, self._min_m), self._max_m)
        if self._reach(wanted):
            return
        for axis in np.flatnonzero(wanted != self.target_m):
            along = self.target_m.copy()
            along[axis] = wanted[axis]
            self._reach(along)

    def _reach(self, wanted_m: Floats) -> bool:
        """Take over the joints for a target; False, and nothing changes, where it is out of reach.

        Joints that would have to go faster than they may are slowed down together: the tool's way stays as it
        is and only becomes shorter. The gate, which looks at each joint by itself, then has nothing to cut.
        """
        solution = self._kinematics.step(wanted_m, self._joints, self._reference)
        if not solution.converged:
            return False
        way = solution.joints_deg - self._start
        hurry = float(np.abs(way[:GRIPPER]).max()) / self._most_deg
        if hurry <= 1.0:
            self._joints, self.target_m = solution.joints_deg, wanted_m
        else:
            self._joints = self._start + way / hurry
            self.target_m = self._kinematics.position(self._joints)
        return True
