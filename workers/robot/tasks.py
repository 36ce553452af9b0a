"""The simulated tasks: where things lie at the start, when a task is done, and how far it has come. Pure figures.

Every task brings an object to a goal: the tool itself to a marker (reach), the cube onto a spot (push), the cube
up to 6 cm (pick_lift). Progress p, from 0 to 1, comes from distances alone, so it needs no memory of the episode:

    near(d) = 1 - tanh(d / 10 cm)
    reach      p = near(tool to marker, beyond 15 mm)
    push       p = 0.3 near(tool to cube, beyond 35 mm) + 0.7 near(cube to spot, beyond 20 mm, on the table)
    pick_lift  p = 0.3 near(tool to grasp, beyond 15 mm) + 0.7 (share of the way up, 0 to 1)

and p = 1 at success. The nearer, the greater p, in every part. Metres in the base frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from workers.robot.figures import Floats
from workers.robot.scene import CUBE_HALF_M, MARKER_RADIUS_M

TaskName = Literal["reach", "push", "pick_lift"]
RewardKind = Literal["sparse", "dense"]

REACHED_M: Final = MARKER_RADIUS_M
PUSHED_M: Final = 0.020
LYING_M: Final = 0.020  # centre of a cube that lies on the table, however it has turned
LIFTED_M: Final = 0.060
CUBE_YAW_RAD: Final = 0.15  # the cube's sides face the jaws within this angle either way

_FALL_OFF_M: Final = 0.10  # distance over which "near" falls to a quarter
_TOUCHING_M: Final = 0.035  # tool to cube, centre to centre, while it pushes
_GRASPED_M: Final = 0.015
_APPROACH: Final = 0.3  # share of p for getting to the cube
_GRASP_OFFSET_M: Final = np.array([0.016, 0.0, 0.0])  # from the tool to the centre of a cube between the jaws


@dataclass(frozen=True, slots=True)
class TaskState:
    """What the task itself can tell, now. A real arm knows nothing of it; there a person or a classifier judges."""

    success: bool = False
    progress: float = 0.0  # 0 to 1, and 1 only at success
    reward: float = 0.0  # of the step that ends now, as `env.simulation.reward` has it
    object_position_m: Floats | None = None  # [3] what is to be moved; for the scripted person only
    goal_position_m: Floats | None = None  # [3] where to


@dataclass(frozen=True, slots=True)
class Area:
    """A box in which something is placed at random; `min_m` and `max_m` [N]."""

    min_m: tuple[float, ...]
    max_m: tuple[float, ...]

    def draw(self, rng: np.random.Generator, share: float) -> list[float]:
        """A point of the middle part that takes up `share` of the area (each side of it, the root of that)."""
        cut = 0.5 * (1.0 - share**0.5)
        return [
            rng.uniform(low + cut * (high - low), high - cut * (high - low))
            for low, high in zip(self.min_m, self.max_m, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie at the start of an episode."""

    cube_m: Floats | None = None  # [3] centre
    cube_yaw_rad: float = 0.0
    goal_m: Floats | None = None  # [3] drawn in the scene


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its areas, and its verdict on a tool, a cube and a drawn goal (NaN [3] where there is none)."""

    cube_area: Area | None
    goal_area: Area | None
    judge: Callable[[Floats, Floats, Floats], TaskState]  # with the sparse reward

    def lay_out(self, rng: np.random.Generator, share: float) -> Layout:
        """Random places within `share` of the areas."""
        cube, goal, yaw = None, None, 0.0
        if self.cube_area is not None:
            yaw = rng.uniform(-CUBE_YAW_RAD, CUBE_YAW_RAD)
            cube = np.array([*self.cube_area.draw(rng, share), CUBE_HALF_M])
        if self.goal_area is not None:
            goal = np.zeros(3)  # a spot lies on the table
            place = self.goal_area.draw(rng, share)
            goal[: len(place)] = place
        return Layout(cube, yaw, goal)


def reach_state(tool_m: Floats, cube_m: Floats, goal_m: Floats) -> TaskState:
    """The tool point within 15 mm of the marker."""
    distance_m = _norm(tool_m - goal_m)
    success = distance_m < REACHED_M
    return _state(success, _near(distance_m - REACHED_M), tool_m, goal_m)


def push_state(tool_m: Floats, cube_m: Floats, goal_m: Floats) -> TaskState:
    """The cube on the table, its centre within 20 mm of the spot's."""
    distance_m = _norm(cube_m[:2] - goal_m[:2])
    success = distance_m < PUSHED_M and bool(cube_m[2] < LYING_M)
    to_cube = _near(_norm(tool_m - cube_m) - _TOUCHING_M)
    left_m = max(0.0, distance_m - PUSHED_M) + max(0.0, float(cube_m[2]) - LYING_M)
    return _state(success, _APPROACH * to_cube + (1.0 - _APPROACH) * _near(left_m), cube_m, goal_m)


def pick_lift_state(tool_m: Floats, cube_m: Floats, goal_m: Floats) -> TaskState:
    """The cube's centre above 6 cm. Nothing is drawn: the goal is that height, wherever the cube is."""
    height_m = float(cube_m[2])
    to_grasp = _near(_norm(cube_m - _GRASP_OFFSET_M - tool_m) - _GRASPED_M)
    lifted = min(1.0, max(0.0, (height_m - CUBE_HALF_M) / (LIFTED_M - CUBE_HALF_M)))
    above_m = np.array([cube_m[0], cube_m[1], LIFTED_M])
    return _state(height_m > LIFTED_M, _APPROACH * to_grasp + (1.0 - _APPROACH) * lifted, cube_m, above_m)


def dense_reward(state: TaskState) -> float:
    """p - 1, and 1 at success: every step costs what is missing, so that nothing is gained by waiting near the goal."""
    return 1.0 if state.success else state.progress - 1.0


def _state(success: bool, progress: float, object_m: Floats, goal_m: Floats) -> TaskState:
    return TaskState(success, 1.0 if success else progress, float(success), object_m, goal_m)


def _near(distance_m: float) -> float:
    return 1.0 - float(np.tanh(max(0.0, distance_m) / _FALL_OFF_M))


def _norm(vector: Floats) -> float:
    return float(np.sqrt(vector @ vector))


# Markers stay below the tool's place at the start of an episode, 8 cm above the table. Cubes are pushed from the
# right of the table to the left, so that the tool gets behind every one of them inside the workspace.
TASKS: Final[dict[TaskName, Task]] = {
    "reach": Task(None, Area((0.20, -0.08, 0.02), (0.28, 0.08, 0.05)), reach_state),
    "push": Task(Area((0.20, -0.065), (0.24, -0.030)), Area((0.20, 0.02), (0.24, 0.06)), push_state),
    "pick_lift": Task(Area((0.20, -0.06), (0.28, 0.06)), None, pick_lift_state),
}
