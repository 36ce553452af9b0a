"""GripperLatch: what a gripper was last told, in environments that move it themselves."""

from workers.processors.features import Features, scalar
from workers.processors.transition import Command, GripperCommand, Period
from workers.robot.drivers import ArmReading

CLOSED_PCT, OPEN_PCT = 0.0, 100.0


class GripperLatch:
    """CLOSE and OPEN become the gripper's goal, 0 or 100 %; STAY leaves it. Episodes begin with an open gripper."""

    def __init__(self) -> None:
        self._goal_pct = OPEN_PCT

    def reset(self, reading: ArmReading | None) -> None:
        self._goal_pct = OPEN_PCT

    def features(self, features: Features) -> Features:
        return {**features, "gripper_goal": scalar("float64")}

    def __call__(self, command: Command, period: Period) -> None:
        asked = GripperCommand(int(command.action[-1]))
        if asked is not GripperCommand.STAY:
            self._goal_pct = CLOSED_PCT if asked is GripperCommand.CLOSE else OPEN_PCT
        period.gripper_goal_pct = self._goal_pct
