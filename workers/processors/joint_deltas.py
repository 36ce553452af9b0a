"""JointDeltasToJoints: joint deltas become joint goals, where `env.processor.action_space` is "joints"."""

import numpy as np
from numpy.typing import NDArray

from workers.processors.features import Features, vector
from workers.processors.inverse_kinematics import held_joints
from workers.processors.transition import Command, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats
from workers.robot.kinematics import Kinematics

# As for the tool: the target may run this many steps ahead of the measured joint before it is pulled back.
_LEAD_STEPS = 1.5


class JointDeltasToJoints:
    """Moves a joint target by `delta * step_deg` within the joint limits, joint by joint.

    The reference is the last commanded target, so that sag and lag of the servos do not accumulate. At the first
    command of a period the target is pulled back to where the arm can be soon. What the limits cut off is taken
    out of `Period.executed`. The workspace box is the safety gate's to keep.
    """

    axes = GRIPPER

    def __init__(
        self, kinematics: Kinematics, step_deg: float, step_sizes_m: Floats, most_deg: float
    ) -> None:
        """`step_deg`: what an action of 1 moves a joint by; `step_sizes_m` [3]: the tool, where a person says so.

        `most_deg` is what the safety gate lets a joint do in a period.
        """
        self._kinematics, self._step_deg, self._step_sizes_m = kinematics, step_deg, step_sizes_m
        self._most_deg = most_deg
        self._lower, self._upper = kinematics.limits_deg

    @property
    def target_m(self) -> Floats:
        """Where the tool [3] is commanded to be, in metres."""
        return self._kinematics.position(self._joints)

    def reset(self, reading: ArmReading | None) -> None:
        """Take the pose in which the arm is held as reference.

        Raises ProcessorError when a joint is not a finite number.
        """
        self._joints = held_joints(self, reading)
        self._begun = self._joints[:GRIPPER].copy()
        self._reference = self._kinematics.reference(self._joints)

    def features(self, features: Features) -> Features:
        return {
            **features,
            "joint_goal": vector("float64", tuple(f"{joint}.pos" for joint in JOINT_NAMES[:GRIPPER])),
        }

    def __call__(self, command: Command, period: Period) -> None:
        measured = command.complementary_data.get("raw_joint_positions")
        if period.commands == 0:
            if measured is not None:
                lead = _LEAD_STEPS * self._step_deg
                near = np.clip(self._joints[:GRIPPER], measured[:GRIPPER] - lead, measured[:GRIPPER] + lead)
                self._go_to(near)
            self._begun = self._joints[:GRIPPER].copy()
        before, delta = self._joints[:GRIPPER].copy(), command.action[: self.axes]
        self._go_to(np.clip(before + delta * self._step_deg, self._lower, self._upper))
        period.goal_deg[:GRIPPER] = self._joints[:GRIPPER]
        moved = (self._joints[:GRIPPER] - before) / self._step_deg
        period.executed[: self.axes] = np.clip(period.executed[: self.axes] + moved - delta, -1.0, 1.0)

    def halt(self, reading: ArmReading, period: Period) -> None:
        """Make the newest goal that went to the servos the end of this period's way, in place of the way's own."""
        goal_deg = reading.goal_deg if np.isfinite(reading.goal_deg).all() else reading.joints_deg
        if not np.isfinite(goal_deg).all():
            return
        self._go_to(goal_deg[:GRIPPER])
        period.goal_deg[:GRIPPER] = self._joints[:GRIPPER]
        way = (self._joints[:GRIPPER] - self._begun) / self._step_deg
        period.executed[: self.axes] = np.clip(way, -1.0, 1.0)

    def lead(self, posture_deg: Floats, period: Period) -> None:
        """Go towards another posture [6], as far as joints may go in a period."""
        way = posture_deg - self._joints
        way[:GRIPPER] = np.clip(way[:GRIPPER], -self._most_deg, self._most_deg)
        self._joints = self._joints + way
        self._reference = self._kinematics.reference(self._joints)
        period.goal_deg[:] = self._joints

    def moved(self, from_deg: Floats, to_deg: Floats) -> Floats:
        """Motion [5], in steps, between two joint goals [6]: what was carried out of a narrowed action."""
        motion: Floats = np.clip((to_deg - from_deg)[:GRIPPER] / self._step_deg, -1.0, 1.0)
        return motion

    def of_tool(self, motion: NDArray[np.floating]) -> Floats:
        """The joint deltas [5] that move the tool by `motion` [3], in step sizes; shorter where joints are too slow.

        What a person or a script says in directions of space; the tool's direction at the episode's start is kept.
        """
        target_m = self.target_m + motion * self._step_sizes_m
        solution = self._kinematics.step(target_m, self._joints, self._reference)
        if not motion.any() or not solution.converged:
            return np.zeros(self.axes)
        way: Floats = (solution.joints_deg - self._joints)[:GRIPPER] / self._step_deg
        return way / max(1.0, float(np.abs(way).max()))

    def _go_to(self, arm_deg: Floats) -> None:
        self._joints = np.concatenate([arm_deg, self._joints[GRIPPER:]])
