"""Reach: straight to the marker."""

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.tasks import REACHED_M
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.view import TaskView

_CLOSE_BY_M = 0.04


class ReachScript:
    """Actions for the reach task."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def action(self, scene: TaskView) -> Action:
        """The whole way, as far as a step goes."""
        return self._hand.action(scene.goal_position_m - scene.ee_position_m, GripperCommand.STAY)

    def remaining_m(self, scene: TaskView) -> float:
        """From the tool to the marker's surface."""
        return max(0.0, float(np.linalg.norm(scene.goal_position_m - scene.ee_position_m)) - REACHED_M)

    def nearly_done(self, scene: TaskView) -> bool:
        """Two steps away."""
        return self.remaining_m(scene) < _CLOSE_BY_M
