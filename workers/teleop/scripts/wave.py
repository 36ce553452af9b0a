"""Wave: through the space that a task needs, corner by corner, for whoever wants to know how large that is."""

from typing import Final

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats
from workers.robot.tasks import TASKS, TaskName
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.view import TaskView

_AROUND_M: Final = 0.04  # beyond the places of things: to get behind them
_LOW_M, _HIGH_M = 0.014, 0.15  # around a cube on the table, and well above a lifted one
_THERE_M: Final = 0.012
_PATIENCE_STEPS: Final = 25  # at a corner out of reach


class WaveScript:
    """Goes round and round; a task is never done by it."""

    def __init__(self, hand: Hand, task: TaskName) -> None:
        self._hand = hand
        self._corners = corners(task)
        self._next = self._steps = 0

    def action(self, scene: TaskView) -> Action:
        """Towards the next corner."""
        way = self._corners[self._next] - scene.ee_position_m
        self._steps += 1
        if float(np.linalg.norm(way)) < _THERE_M or self._steps > _PATIENCE_STEPS:
            self._next, self._steps = (self._next + 1) % len(self._corners), 0
        return self._hand.action(way, GripperCommand.STAY)

    def remaining_m(self, scene: TaskView) -> float:
        """There is always more to see."""
        return float(np.linalg.norm(self._corners[self._next] - scene.ee_position_m))

    def nearly_done(self, scene: TaskView) -> bool:
        """Never."""
        return False


def corners(task: TaskName) -> list[Floats]:
    """Positions [3] in an order in which each is near the one before: round above, then round below."""
    areas = [area for area in (TASKS[task].cube_area, TASKS[task].goal_area) if area is not None]
    low = np.min([area.min_m[:2] for area in areas], axis=0) - _AROUND_M
    high = np.max([area.max_m[:2] for area in areas], axis=0) + _AROUND_M
    round_ = ((low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1]))
    return [np.array([x, y, z]) for z in (_HIGH_M, _LOW_M) for x, y in round_]
