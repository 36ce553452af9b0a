"""Pick and lift: over the cube with open jaws, down around it, close, lift; open again after closing on nothing."""

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats
from workers.robot.scene import CUBE_HALF_M
from workers.robot.tasks import LIFTED_M
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.view import TaskView

_GRASP_OFFSET_M = np.array([-0.016, 0.0, 0.0])  # tool point relative to the cube's centre, jaws around it
_GRASP_HEIGHT_M = 0.012
_CLEAR_HEIGHT_M = 0.045  # open jaws pass above a standing cube
_ALIGNED_M = 0.008  # sideways error at which going down does not touch the cube
_AT_CUBE_M, _AT_HEIGHT_M = 0.007, 0.004  # errors with which closing takes hold of it
EMPTY_PCT = 10.0  # a jaw closed further than this holds nothing
_CLOSING_PCT = 26.0  # a jaw on its way to closed; around the cube it stops near 18
# Where the cube's centre may be, from the tool point, while the jaws hold it: they draw it towards the fixed one.
_HELD_FROM_M, _HELD_TO_M = np.array([-0.006, -0.010, -0.015]), np.array([0.029, 0.010, 0.015])
_SLACK_M = 0.012  # sideways error that can still be corrected on the way down
_UP = np.array([0.0, 0.0, 0.02])
_OPEN_ENOUGH = 0.8  # share of the full opening at which the cube fits between the jaws
_CLOSE_M = 0.02  # what closing the jaws counts, in metres of travel


class PickLiftScript:
    """Actions for the pick-and-lift task."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def action(self, scene: TaskView) -> Action:
        """The next step of the way."""
        return self._hand.action(*self._plan(scene))

    def remaining_m(self, scene: TaskView) -> float:
        """To the grasp, the closing, and up."""
        lift_m = LIFTED_M - float(scene.object_position_m[2])
        if self.nearly_done(scene):
            return lift_m
        return lift_m + float(np.linalg.norm(_to_grasp(scene))) + _CLOSE_M

    def nearly_done(self, scene: TaskView) -> bool:
        """The jaws are closed around the cube."""
        offset_m = scene.object_position_m - scene.ee_position_m
        between = bool(((offset_m > _HELD_FROM_M) & (offset_m < _HELD_TO_M)).all())
        return between and EMPTY_PCT < scene.gripper_pct < _CLOSING_PCT

    def _plan(self, scene: TaskView) -> tuple[Floats, GripperCommand]:
        """Wanted movement [3] in metres, and the gripper command."""
        if self.nearly_done(scene):
            return _UP, GripperCommand.STAY
        if scene.gripper_pct <= _OPEN_ENOUGH * self._hand.open_pct:
            return _UP, GripperCommand.OPEN
        return self._approach(scene.object_position_m, scene.ee_position_m, _to_grasp(scene))

    def _approach(self, cube_m: Floats, tool_m: Floats, towards_m: Floats) -> tuple[Floats, GripperCommand]:
        """With open jaws: over the cube, down around it, close."""
        aside_m = float(np.hypot(towards_m[0], towards_m[1]))
        down_m = _GRASP_HEIGHT_M - tool_m[2]
        if aside_m < _AT_CUBE_M and abs(down_m) < _AT_HEIGHT_M:
            return np.array([0.0, 0.0, down_m]), GripperCommand.CLOSE
        if aside_m < _ALIGNED_M or (aside_m < _SLACK_M and tool_m[2] < _CLEAR_HEIGHT_M):
            return np.array([towards_m[0], towards_m[1], down_m]), GripperCommand.STAY
        clear_m = cube_m[2] - CUBE_HALF_M + _CLEAR_HEIGHT_M - tool_m[2]
        if clear_m > _ALIGNED_M:  # too low to move sideways: the jaws would push the cube away
            return _UP, GripperCommand.STAY
        return np.array([towards_m[0], towards_m[1], clear_m]), GripperCommand.STAY


def _to_grasp(scene: TaskView) -> Floats:
    """From the tool point to where it is when the cube is between the jaws [3]."""
    way: Floats = scene.object_position_m + _GRASP_OFFSET_M - scene.ee_position_m
    return way
