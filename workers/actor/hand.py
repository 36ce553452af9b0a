"""Hand: what a person's device says, as an action of the environment."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.config import Config
from workers.config.survey import FIND_LIMITS
from workers.processors.transition import GripperCommand
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import ToolPosition
from workers.teleop.device import DeviceWord
from workers.teleop.leader_action import LeaderAction, LeaderJoints, Trigger
from workers.transport.record import FeatureSpec

Action = NDArray[np.float32]


class Leader(Protocol):
    """How a leader arm in the person's hand becomes actions."""

    def action(self, leader_deg: Floats, target_m: Floats) -> Action:
        """The action of a step for a leader at `leader_deg` [6], with the arm's tool commanded to `target_m` [3]."""

    def release(self) -> None:
        """The person does not drive, or the leader is not there: the next action begins with no motion."""


class Posable(Protocol):
    """An arm that can be told its joints; `ArmEnv` is one."""

    features: FeatureSpec
    person: FeatureSpec

    def lead(self, leader_deg: Floats) -> None: ...


class Hand:
    """Turns words of a device into actions float32 [motion (+ 1)]; what the action has no place for is left out.

    Args:
        leader: for a leader arm; None for devices that say a motion.
    """

    def __init__(self, features: FeatureSpec, leader: Leader | None = None) -> None:
        self._features, self._leader = features, leader

    @property
    def stay(self) -> Action:
        """The action that moves nothing."""
        action = np.zeros(self._features.action_dim, np.float32)
        if self._features.gripper:
            action[-1] = GripperCommand.STAY
        return action

    def action(self, word: DeviceWord, info: Mapping[str, Any]) -> Action:
        """One period's worth of what the device asks for now; `info` is the newest observation's."""
        if not word.live:
            self.release()
            return self.stay
        if self._leader is not None:
            if not np.isfinite(word.joints_deg).all():
                self.release()
                return self.stay
            return self._leader.action(word.joints_deg, info["ee_target_m"])
        action, axes = self.stay, min(self._features.motion_dim, len(word.motion))
        action[:axes] = word.motion[:axes]
        if self._features.gripper:
            action[-1] += np.sign(word.gripper)
        return action

    def steer(self, word: DeviceWord, info: Mapping[str, Any]) -> bool:
        """Called once an action was begun; a hand for which actions say too little moves the arm here, and says so."""
        return False

    def release(self) -> None:
        """The device does not drive in this step."""
        if self._leader is not None:
            self._leader.release()


class PostureHand(Hand):
    """A leader arm whose posture the arm takes on, joint by joint; for steps that are not recorded."""

    def __init__(self, arm: Posable) -> None:
        super().__init__(arm.person)
        self._arm, self._joints = arm, LeaderJoints()

    def action(self, word: DeviceWord, info: Mapping[str, Any]) -> Action:
        return self.stay

    def steer(self, word: DeviceWord, info: Mapping[str, Any]) -> bool:
        if not np.isfinite(word.joints_deg).all():
            self.release()
            return False
        self._arm.lead(self._joints.target(word.joints_deg, info["goal_deg"]))
        return True

    def release(self) -> None:
        self._joints.release()


class JointHand(Hand):
    """A leader arm where actions are joint deltas: joint by joint, coupled by a clutch."""

    def __init__(self, features: FeatureSpec, step_deg: float, closed_at_pct: float) -> None:
        super().__init__(features)
        self._step_deg = step_deg
        self._joints, self._trigger = LeaderJoints(), Trigger(closed_at_pct)

    def action(self, word: DeviceWord, info: Mapping[str, Any]) -> Action:
        if not word.live or not np.isfinite(word.joints_deg).all():
            self.release()
            return self.stay
        goal_deg = info["goal_deg"]
        way = (self._joints.target(word.joints_deg, goal_deg) - goal_deg)[:GRIPPER] / self._step_deg
        action = self.stay
        action[:GRIPPER] = np.clip(way, -1.0, 1.0)
        if self._features.gripper:
            action[-1] = self._trigger.command(float(word.joints_deg[GRIPPER]))
        return action

    def release(self) -> None:
        self._joints.release()
        self._trigger.release()


def hand_of(config: Config, arm: Posable, tool: ToolPosition) -> Hand:
    """The hand that a configuration describes, for an arm.

    The leader arm gives the tool its way, as keys and gamepads do, so that the steps are what a policy can do.
    Where they are not recorded and posture counts, while the workspace is being found, it gives the joints.
    """
    if not config.env.teleop.is_leader:
        return Hand(arm.person)
    if config.mode == FIND_LIMITS:
        return PostureHand(arm)
    processor = config.env.processor
    steps, gripper = config.env.workspace.end_effector_step_sizes, processor.gripper
    if processor.action_space == "joints":
        return JointHand(arm.features, processor.joint_step_deg, gripper.closed_at)
    step_sizes_m = np.array([steps.x, steps.y, steps.z])
    return Hand(arm.features, LeaderAction(tool, step_sizes_m, gripper.use_gripper, gripper.closed_at))
