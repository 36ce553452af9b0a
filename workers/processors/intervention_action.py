"""InterventionActionProcessor: the person's action replaces the policy's; a period's sum stays in range."""

import numpy as np

from workers.processors.features import Features
from workers.processors.transition import Action, Command, GripperCommand, Judgement, Period
from workers.robot.drivers import ArmReading


class InterventionActionProcessor:
    """Decides what is executed: the person's action where there is one, clipped so that a period never
    exceeds [-1, 1]; and takes down the person's verdict.

    A period may consist of several commands. `Period.executed` is their sum; its gripper element is the last
    command that was not STAY. Numbers that are not finite count as "stay".
    """

    def __init__(self, use_gripper: bool = True) -> None:
        """Without `use_gripper` an action is motion alone."""
        self._use_gripper = use_gripper

    def reset(self, reading: ArmReading | None) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        return features

    def __call__(self, command: Command, period: Period) -> None:
        if command.info["is_intervention"]:
            command.action = command.complementary_data["teleop_action"]
            period.is_intervention = True
        motion = len(period.executed) - self._use_gripper
        action = np.where(np.isfinite(command.action), command.action, _stay(motion, self._use_gripper))
        before = period.executed[:motion].copy()
        period.executed[:motion] = np.clip(before + action[:motion], -1.0, 1.0)
        moved = period.executed[:motion] - before
        command.action = np.asarray(
            [*moved, self._gripper(action, period)][: len(period.executed)], np.float32
        )
        self._judge(command, period)

    def _gripper(self, action: Action, period: Period) -> float:
        """The command to the gripper, entered into the period unless it is STAY; STAY without a gripper."""
        if not self._use_gripper:
            return float(GripperCommand.STAY)
        asked = float(round(float(np.clip(action[-1], 0.0, 2.0))))
        if asked != GripperCommand.STAY:
            period.executed[-1] = asked
        return asked

    def _judge(self, command: Command, period: Period) -> None:
        if command.info["rerecord_episode"]:
            period.judgement = Judgement.RERECORD
        elif command.info["success"]:
            period.judgement = Judgement.SUCCESS
        elif command.info["failure"]:
            period.judgement = Judgement.FAILURE


def _stay(motion: int, gripper: bool) -> Action:
    action = np.zeros(motion + gripper, np.float32)
    if gripper:
        action[-1] = GripperCommand.STAY
    return action
