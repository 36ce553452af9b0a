"""InterventionActionProcessor: the human's action replaces the policy's; a period's sum stays in range."""

import numpy as np

from workers.processors.transition import Action, Command, GripperCommand, Period
from workers.robot.drivers import ArmReading


class InterventionActionProcessor:
    """Decides what is executed: the human's action where there is one, clipped so that a period never
    exceeds [-1, 1].

    A period may consist of several commands. `Period.executed` is their sum, and exactly what moved the
    target; its gripper element is the last command that was not STAY. Non-finite numbers count as "stay".
    """

    def __init__(self, use_gripper: bool = True) -> None:
        """Without `use_gripper` every gripper command counts as STAY."""
        self._use_gripper = use_gripper

    def reset(self, reading: ArmReading) -> None:
        """Nothing to forget."""

    def __call__(self, command: Command, period: Period) -> None:
        if command.human is not None:
            command.action = command.human
            period.is_intervention = True
        action = _finite(command.action)
        before = period.executed[:3].copy()
        period.executed[:3] = np.clip(before + action[:3], -1.0, 1.0)
        asked = GripperCommand(round(float(np.clip(action[3], 0.0, 2.0))))
        gripper = asked if self._use_gripper else GripperCommand.STAY
        if gripper is not GripperCommand.STAY:
            period.executed[3] = gripper
        command.action = np.array([*(period.executed[:3] - before), gripper], np.float32)


def _finite(action: Action) -> Action:
    stay = np.array([0.0, 0.0, 0.0, GripperCommand.STAY], np.float32)
    return np.where(np.isfinite(action), action, stay).astype(np.float32)
