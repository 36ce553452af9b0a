"""Hand: what a person's device says, as an action of the environment."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.processors.transition import GripperCommand
from workers.robot.figures import Floats
from workers.teleop.device import DeviceWord
from workers.transport.record import FeatureSpec

Action = NDArray[np.float32]


class Leader(Protocol):
    """How a leader arm in the person's hand becomes actions."""

    def action(self, leader_deg: Floats, target_m: Floats) -> Action:
        """The action of a step for a leader at `leader_deg` [6], with the arm's tool commanded to `target_m` [3]."""

    def release(self) -> None:
        """The person does not drive, or the leader is not there: the next action begins with no motion."""


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

    def release(self) -> None:
        """The device does not drive in this step."""
        if self._leader is not None:
            self._leader.release()
