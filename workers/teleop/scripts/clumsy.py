"""A scripted person who fails on purpose: what a reward classifier must see, not to take it for success."""

from typing import Protocol

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats
from workers.robot.tasks import PUSHED_M, REACHED_M, TaskName
from workers.teleop.scripts.hand import Hand
from workers.teleop.scripts.pick_lift import EMPTY_PCT, PickLiftScript
from workers.teleop.scripts.push import PushScript
from workers.teleop.scripts.reach import ReachScript
from workers.teleop.scripts.view import Script, TaskView

_ASIDE_M = (0.010, 0.050)  # how far beside the cube's middle jaws close that miss it
_HELD_M = 0.016  # above this it does not lie on the table any more
_LIFTS_TO_M = (0.02, 0.045)  # of the 6 cm that count
_SLOWLY = 0.5  # share of the way in a step: the arm comes after its target by one or two
_HOLDING_STEPS = (1, 12)
_OPENING_STEPS = 2
_RISING_STEPS = (4, 30)  # with empty jaws, before the next attempt
_STILL_M = np.zeros(3)
_UP_M = np.array([0.0, 0.0, 0.02])
_ANY_SIDE_RAD = 1.0
_BEYOND_M = (0.015, 0.035)  # how far outside of what counts as the goal reach and push end


class Clumsy(Protocol):
    """Somebody who tries, and does not succeed."""

    def begin(self) -> None:
        """Another episode."""

    def action(self, scene: TaskView) -> Action:
        """What to do next."""


class ClumsyPickLift:
    """Closes beside the cube, or lifts it part of the way, stays there, and lets it go; then goes up with empty jaws.

    And again, until the time is up.
    """

    def __init__(self, hand: Hand, rng: np.random.Generator) -> None:
        self._hand, self._rng = hand, rng
        self._script = PickLiftScript(hand)
        self._attempts = 0
        self.begin()

    def begin(self) -> None:
        self._attempts += 1
        self._holding: int | None = None  # steps for which the cube is still held, None before it is
        self._opening, self._empty = _OPENING_STEPS, False
        self._rising = int(self._rng.integers(*_RISING_STEPS))
        self._height_m = self._rng.uniform(*_LIFTS_TO_M)
        aside_m, angle = self._rng.uniform(*_ASIDE_M), self._rng.uniform(0.0, 2.0 * np.pi)
        misses = self._attempts % 2 == 1
        self._aside_m = misses * aside_m * np.array([np.cos(angle), np.sin(angle), 0.0])

    def action(self, scene: TaskView) -> Action:
        height_m = float(scene.object_position_m[2])
        if self._holding is None and height_m > _HELD_M:
            self._holding = int(self._rng.integers(*_HOLDING_STEPS))
        if self._holding is None:
            self._empty |= scene.gripper_pct < EMPTY_PCT
            return self._rises() if self._empty else self._script.action(self._as_it_seems(scene))
        if self._holding:
            self._holding -= 1
            way_m = np.array([0.0, 0.0, self._height_m - height_m])
            return self._hand.action(_SLOWLY * way_m, GripperCommand.STAY)
        if self._opening:
            self._opening -= 1
            return self._hand.action(_STILL_M, GripperCommand.OPEN)
        return self._rises()

    def _rises(self) -> Action:
        """Up with empty jaws, as in a success; then the next attempt."""
        self._rising -= 1
        if self._rising >= 0:
            return self._hand.action(_UP_M, GripperCommand.CLOSE)
        self.begin()
        return self._hand.action(_UP_M, GripperCommand.OPEN)

    def _as_it_seems(self, scene: TaskView) -> TaskView:
        place_m = scene.object_position_m + self._aside_m
        return TaskView(place_m, scene.goal_position_m, scene.ee_position_m, scene.gripper_pct)


class BesideTheGoal:
    """Does a task well, at a goal that is not there: it ends before the real one, or beside it."""

    def __init__(self, script: Script, tolerance_m: float, rng: np.random.Generator) -> None:
        self._script, self._rng = script, rng
        self._far_m = (tolerance_m + _BEYOND_M[0], tolerance_m + _BEYOND_M[1])
        self._aside_m: Floats | None = None

    def begin(self) -> None:
        self._aside_m = None

    def action(self, scene: TaskView) -> Action:
        if self._aside_m is None:
            self._aside_m = self._back(scene)
        goal_m = scene.goal_position_m + self._aside_m
        return self._script.action(
            TaskView(scene.object_position_m, goal_m, scene.ee_position_m, scene.gripper_pct)
        )

    def _back(self, scene: TaskView) -> Floats:
        """From the goal [3], along the table, roughly to where the object is: it does not pass the goal on its way."""
        way = scene.object_position_m - scene.goal_position_m
        angle = np.arctan2(way[1], way[0]) + self._rng.uniform(-_ANY_SIDE_RAD, _ANY_SIDE_RAD)
        back: Floats = self._rng.uniform(*self._far_m) * np.array([np.cos(angle), np.sin(angle), 0.0])
        return back


def clumsy_of(task: TaskName, hand: Hand, rng: np.random.Generator) -> Clumsy:
    """Who fails at a task; what goes wrong is drawn from `rng`."""
    match task:
        case "reach":
            return BesideTheGoal(ReachScript(hand), REACHED_M, rng)
        case "push":
            return BesideTheGoal(PushScript(hand), PUSHED_M, rng)
        case "pick_lift":
            return ClumsyPickLift(hand, rng)
