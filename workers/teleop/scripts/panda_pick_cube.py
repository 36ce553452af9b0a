"""gym-hil's PandaPickCube: over the cube with open jaws, down around it, close, lift by 10 cm."""

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.view import TaskView

ENVIRONMENT = "gym_hil/PandaPickCube-v0"
STEP_SIZES_M = (0.025, 0.025, 0.025)  # gym-hil's `DEFAULT_EE_STEP_SIZE`
_CUBE_HALF_M = 0.02
_CLEAR_M = 0.075  # height at which open jaws pass above a standing cube
_ALIGNED_M = 0.010  # sideways error at which going down does not touch the cube
_SLACK_M = 0.020  # sideways error that can still be corrected on the way down
_DOWN_M = 0.012  # height above the middle of the cube at which the jaws close well
_BETWEEN_JAWS_M = np.array([0.020, 0.020, 0.025])
_EMPTY_PCT = 30.0  # jaws closed further than this hold nothing
_CLOSING_PCT = 55.0  # jaws on their way to closed; around the cube they stop near 46
_OPEN_ENOUGH = 0.8  # share of the full opening at which the cube fits between the jaws
_GAIN = 0.6  # share of the way to go in one step: the arm comes after its target by one or two
_UP = np.array([0.0, 0.0, 0.025])
_CLOSE_M = 0.02  # what closing the jaws counts, in metres of travel


class PandaPickCubeScript:
    """Actions for `ENVIRONMENT`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def action(self, scene: TaskView) -> Action:
        """The next step of the way."""
        return self._hand.action(*self._plan(scene))

    def remaining_m(self, scene: TaskView) -> float:
        """To the grasp, the closing, and up."""
        lift_m = max(0.0, float(scene.goal_position_m[2] - scene.object_position_m[2]))
        if self.nearly_done(scene):
            return lift_m
        return lift_m + float(np.linalg.norm(_to_cube(scene))) + _CLOSE_M

    def nearly_done(self, scene: TaskView) -> bool:
        """The jaws are closed around the cube."""
        within = bool((np.abs(_to_cube(scene)) < _BETWEEN_JAWS_M).all())
        return within and _EMPTY_PCT < scene.gripper_pct < _CLOSING_PCT

    def _plan(self, scene: TaskView) -> tuple[Floats, GripperCommand]:
        """Wanted movement [3] in metres, and the gripper command."""
        towards_m = _to_cube(scene)
        if self.nearly_done(scene):
            return _UP, GripperCommand.STAY
        aside_m = float(np.hypot(towards_m[0], towards_m[1]))
        is_down = abs(float(towards_m[2])) < _DOWN_M
        if scene.gripper_pct <= _OPEN_ENOUGH * self._hand.open_pct:
            closing = is_down and aside_m < _SLACK_M and scene.gripper_pct > _CLOSING_PCT
            return (np.zeros(3), GripperCommand.STAY) if closing else (_UP, GripperCommand.OPEN)
        if is_down and aside_m < _ALIGNED_M:
            return np.zeros(3), GripperCommand.CLOSE
        return self._approach(scene, towards_m, aside_m), GripperCommand.STAY

    def _approach(self, scene: TaskView, towards_m: Floats, aside_m: float) -> Floats:
        """With open jaws: over the cube, and down around it."""
        if aside_m < _ALIGNED_M or (aside_m < _SLACK_M and scene.ee_position_m[2] < _CLEAR_M):
            return _GAIN * towards_m
        clear_m = scene.object_position_m[2] - _CUBE_HALF_M + _CLEAR_M - scene.ee_position_m[2]
        if clear_m > _ALIGNED_M:  # too low to move sideways: the jaws would push the cube away
            return np.array([0.0, 0.0, clear_m])
        return _GAIN * np.array([towards_m[0], towards_m[1], clear_m])


def _to_cube(scene: TaskView) -> Floats:
    return scene.object_position_m - scene.ee_position_m
