"""A scripted person for the simulated pick-and-lift task: demonstrates, and takes over from a stuck policy.

It knows where the cube is, which no policy does, and does what a competent person would: move above the cube
with open jaws, go down around it, close, lift; open again after closing on nothing.
"""

import numpy as np

from workers.processors.settings import Vector
from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats

_CUBE_HALF_M = 0.0125

_GRASP_OFFSET_M = np.array([-0.016, 0.0, 0.0])  # tool point relative to the cube's centre, jaws around it
_GRASP_HEIGHT_M = 0.014
_CLEAR_HEIGHT_M = 0.045  # open jaws pass above a standing cube
_ALIGNED_M = 0.008  # sideways error at which going down does not touch the cube
_AT_CUBE_M = 0.007
_EMPTY_PCT = 10.0  # a jaw closed further than this holds nothing
_CLOSING_PCT = 26.0  # a jaw on its way to closed; around the cube it stops near 18
_BETWEEN_JAWS_M = np.array([0.013, 0.010, 0.015])
_SLACK_M = 0.012  # sideways error that can still be corrected on the way down
_UP = np.array([0.0, 0.0, 0.02])
_OPEN_ENOUGH = 0.8  # share of the full opening at which the cube fits between the jaws


class PickLiftScript:
    """Actions for the pick-and-lift task; a pure function of what it is shown, plus noise when asked for."""

    def __init__(
        self,
        step_sizes_m: Vector = (0.02, 0.02, 0.02),
        max_gripper_pos: float = 40.0,
        noise: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        """`noise` is the standard deviation added to dx, dy, dz, drawn from `rng`."""
        self._step_sizes_m = np.array(step_sizes_m)
        self._open_pct = max_gripper_pos
        self._noise, self._rng = noise, rng or np.random.default_rng(0)

    def action(self, cube_position_m: Floats, ee_position_m: Floats, gripper_pct: float) -> Action:
        """The next action float32 [4] for the cube's centre, the tool point and the measured jaw opening."""
        move_m, gripper = self._plan(cube_position_m, ee_position_m, gripper_pct)
        delta = move_m / self._step_sizes_m
        if self._noise > 0.0:
            delta = delta + self._rng.normal(0.0, self._noise, 3)
        return np.array([*np.clip(delta, -1.0, 1.0), gripper], np.float32)

    def _plan(self, cube_m: Floats, tool_m: Floats, gripper_pct: float) -> tuple[Floats, GripperCommand]:
        """Wanted movement [3] in metres, and the gripper command."""
        towards_m = cube_m + _GRASP_OFFSET_M - tool_m
        is_open = gripper_pct > _OPEN_ENOUGH * self._open_pct
        if is_holding(cube_m, tool_m, gripper_pct):
            return _UP, GripperCommand.STAY
        if not is_open:
            return _UP, GripperCommand.OPEN
        return self._approach(cube_m, tool_m, towards_m)

    def _approach(self, cube_m: Floats, tool_m: Floats, towards_m: Floats) -> tuple[Floats, GripperCommand]:
        """With open jaws: over the cube, down around it, close."""
        aside_m = float(np.hypot(towards_m[0], towards_m[1]))
        down_m = _GRASP_HEIGHT_M - tool_m[2]
        if aside_m < _AT_CUBE_M and abs(down_m) < _AT_CUBE_M:
            return np.zeros(3), GripperCommand.CLOSE
        if aside_m < _ALIGNED_M or (aside_m < _SLACK_M and tool_m[2] < _CLEAR_HEIGHT_M):
            return np.array([towards_m[0], towards_m[1], down_m]), GripperCommand.STAY
        clear_m = cube_m[2] - _CUBE_HALF_M + _CLEAR_HEIGHT_M - tool_m[2]
        if clear_m > _ALIGNED_M:  # too low to move sideways: the jaws would push the cube away
            return _UP, GripperCommand.STAY
        return np.array([towards_m[0], towards_m[1], clear_m]), GripperCommand.STAY


def is_holding(cube_position_m: Floats, ee_position_m: Floats, gripper_pct: float) -> bool:
    """Whether the jaws are closed around the cube."""
    towards_m = cube_position_m + _GRASP_OFFSET_M - ee_position_m
    return bool((np.abs(towards_m) < _BETWEEN_JAWS_M).all()) and _EMPTY_PCT < gripper_pct < _CLOSING_PCT


def remaining_m(cube_position_m: Floats, ee_position_m: Floats, gripper_pct: float) -> float:
    """How much of the task is left, in metres of travel. Falls while things go well."""
    lift_m = 0.06 - float(cube_position_m[2])
    if is_holding(cube_position_m, ee_position_m, gripper_pct):
        return lift_m
    to_grasp_m = float(np.linalg.norm(cube_position_m + _GRASP_OFFSET_M - ee_position_m))
    return lift_m + to_grasp_m + 0.02
