"""Push: close the jaws, go down behind the cube as seen from the spot, and push it there."""

from dataclasses import dataclass

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats
from workers.robot.tasks import PUSHED_M
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.view import TaskView

_FINGERS_M = np.array([-0.007, 0.0])  # middle of the closed jaws, seen from the tool point
_TOUCHING_M = 0.024  # from there to the middle of the cube in front of them
_FREE_M = 0.004  # with less room the jaws touch the cube
_STANDOFF_M = 0.038  # where to come down: behind the cube, with some room
_LOW_M = 0.013  # height of the jaws while pushing: below the middle of the cube, or they press it down
_CLEAR_M = 0.050  # height at which they pass above the cube
_BEHIND_M = 0.008  # closer than this they are beside the cube, or above it
_ASIDE_M = 0.020  # sideways error at which they would miss the cube
_ABOVE_M = 0.012  # error of place or height that does no harm on the way down
_CLOSED_PCT = 20.0
_CLOSE_BY_M = 0.06


@dataclass(frozen=True, slots=True)
class _Line:
    """The jaws against the line from the cube to the spot, on the table."""

    forward: Floats  # [2] unit vector from cube to spot
    left_m: float  # from cube to spot
    behind_m: float  # how far the jaws are behind the cube
    aside: Floats  # [2] and how far off the line

    @property
    def aside_m(self) -> float:
        return float(np.linalg.norm(self.aside))


class PushScript:
    """Actions for the push task."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def action(self, scene: TaskView) -> Action:
        """Close the jaws if they are open; meanwhile over, down, push."""
        gripper = GripperCommand.CLOSE if scene.gripper_pct > _CLOSED_PCT else GripperCommand.STAY
        return self._hand.action(self._plan(scene), gripper)

    def remaining_m(self, scene: TaskView) -> float:
        """The cube's way to the spot, and the jaws' way to the cube's back."""
        line = _line(scene)
        ahead = line.forward * (line.behind_m - _TOUCHING_M) - line.aside
        to_cube_m = float(np.linalg.norm([*ahead, _LOW_M - scene.ee_position_m[2]]))
        return max(0.0, line.left_m - PUSHED_M) + to_cube_m

    def nearly_done(self, scene: TaskView) -> bool:
        """The jaws are behind the cube and the spot is not far."""
        return _may_push(_line(scene), scene) and self.remaining_m(scene) < _CLOSE_BY_M

    def _plan(self, scene: TaskView) -> Floats:
        """Wanted movement [3] in metres."""
        line, height_m = _line(scene), float(scene.ee_position_m[2])
        if _may_push(line, scene):
            return np.array([*self._push(line), _LOW_M - height_m])
        over = line.forward * (line.behind_m - _STANDOFF_M) - line.aside
        if float(np.linalg.norm(over)) < _ABOVE_M:
            return np.array([*over, _LOW_M - height_m])
        if height_m < _CLEAR_M - _ABOVE_M:  # too low to move sideways: the jaws would push the cube away
            return np.array([0.0, 0.0, _CLEAR_M - height_m])
        return np.array([*over, _CLEAR_M - height_m])

    def _push(self, line: _Line) -> Floats:
        """Along the table [2]: onto the line first, and slower for it.

        Once they touch, the cube sticks to the jaws and goes where they go: then only straight to the spot.
        """
        step_m = float(self._hand.step_sizes_m[:2].min())
        forward_m = min(step_m, line.left_m + line.behind_m - _TOUCHING_M)
        if line.behind_m < _TOUCHING_M + _FREE_M:
            return line.forward * forward_m
        return line.forward * forward_m * (1.0 - line.aside_m / _ASIDE_M) - line.aside


def _line(scene: TaskView) -> _Line:
    cube, jaws = scene.object_position_m[:2], scene.ee_position_m[:2] + _FINGERS_M
    way = scene.goal_position_m[:2] - cube
    left_m = float(np.linalg.norm(way))
    forward = way / left_m if left_m > 0.0 else np.array([0.0, 1.0])
    behind_m = float((cube - jaws) @ forward)
    return _Line(forward, left_m, behind_m, jaws - cube + behind_m * forward)


def _may_push(line: _Line, scene: TaskView) -> bool:
    """The jaws are low, behind the cube, and not so far off the line that they would miss it."""
    low = float(scene.ee_position_m[2]) < _LOW_M + _ABOVE_M
    return low and line.behind_m > _BEHIND_M and line.aside_m < _ASIDE_M
