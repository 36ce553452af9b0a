"""GripperVelocityToJoint: close, stay or open becomes a jaw goal."""

import numpy as np

from workers.processors.features import Features, vector
from workers.processors.transition import Command, GripperCommand, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, JOINT_NAMES

_AT_END_PCT = 2.0  # a jaw measured this near to closed or open is closed or open


class GripperVelocityToJoint:
    """CLOSE and OPEN become jaw positions in percent; STAY is the last commanded goal, which keeps the grip.

    Polarity is explicit: closed is at 0 % (LeRobot's calibration) or, mirrored, at 100 %, and OPEN is
    `max_gripper_pos` percent away from there. Without `use_gripper` the jaw stays as the reset left it.
    """

    def __init__(self, max_gripper_pos: float, closed_at: float = 0.0, use_gripper: bool = True) -> None:
        self._use_gripper = use_gripper
        self._closed_pct = closed_at
        self._open_pct = closed_at + (max_gripper_pos if closed_at == 0.0 else -max_gripper_pos)
        self.goal_pct = self._open_pct

    def reset(self, reading: ArmReading | None) -> None:
        if reading is None:
            self.goal_pct = self._open_pct
            return
        if not self._use_gripper:
            self.goal_pct = float(reading.joints_deg[GRIPPER])
            return
        low, high = sorted((self._closed_pct, self._open_pct))
        measured = float(np.clip(reading.joints_deg[GRIPPER], low, high))
        ends = [end for end in (low, high) if abs(end - measured) < _AT_END_PCT]
        self.goal_pct = ends[0] if ends else measured

    def features(self, features: Features) -> Features:
        return {**features, "joint_goal": vector("float64", tuple(f"{joint}.pos" for joint in JOINT_NAMES))}

    def __call__(self, command: Command, period: Period) -> None:
        asked = GripperCommand(int(command.action[-1])) if self._use_gripper else GripperCommand.STAY
        if asked is not GripperCommand.STAY:
            self.goal_pct = self._closed_pct if asked is GripperCommand.CLOSE else self._open_pct
        period.gripper_goal_pct = self.goal_pct
        if period.goal_deg.size:
            period.goal_deg[GRIPPER] = self.goal_pct
