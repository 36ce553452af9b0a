"""GripperVelocityToJoint: close, stay or open becomes a jaw goal."""

import numpy as np

from workers.processors.transition import Command, GripperCommand, Period
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER

_AT_END_PCT = 2.0  # a jaw measured this near to closed or open is closed or open


class GripperVelocityToJoint:
    """CLOSE -> 0 %, OPEN -> `max_gripper_pos`, STAY -> the last commanded goal, which keeps the grip."""

    def __init__(self, max_gripper_pos: float) -> None:
        self._open_pct = max_gripper_pos
        self.goal_pct = max_gripper_pos

    def reset(self, reading: ArmReading) -> None:
        measured = float(np.clip(reading.joints_deg[GRIPPER], 0.0, self._open_pct))
        ends = [end for end in (0.0, self._open_pct) if abs(end - measured) < _AT_END_PCT]
        self.goal_pct = ends[0] if ends else measured

    def __call__(self, command: Command, period: Period) -> None:
        asked = GripperCommand(int(command.action[3]))
        if asked is not GripperCommand.STAY:
            self.goal_pct = 0.0 if asked is GripperCommand.CLOSE else self._open_pct
        period.gripper_goal_pct = self.goal_pct
        period.goal_deg[GRIPPER] = self.goal_pct
