"""The tasks' own figures: where things lie, when a task is done, and that progress grows with every centimetre."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.robot.drivers.sim import SimArm
from workers.robot.figures import Floats
from workers.robot.scene import CUBE_HALF_M
from workers.robot.tasks import (
    TASKS,
    Area,
    Task,
    TaskName,
    TaskState,
    pick_lift_state,
    push_state,
    reach_state,
)

TASK_NAMES = tuple(TASKS)
NOWHERE = np.full(3, np.nan)
TOOL = np.array([0.24, 0.0, 0.02])


def at(origin_m: Floats, y_m: float, z_m: float = 0.0) -> Floats:
    return origin_m + np.array([0.0, y_m, z_m])


@pytest.mark.parametrize("task", TASK_NAMES)
def test_things_lie_within_the_tasks_areas_and_no_episode_begins_done(task: TaskName) -> None:
    arm = SimArm(task=task)
    for seed in range(50):
        arm.reset(seed)
        scene, state = arm.scene(), arm.task_state()
        for area, place in ((TASKS[task].cube_area, scene[:2]), (TASKS[task].goal_area, scene[13:16])):
            if area is not None:
                found = place[: len(area.min_m)]
                assert (found >= area.min_m).all() and (found <= area.max_m).all()
        assert not state.success and 0.0 <= state.progress < 0.9


def test_the_cube_of_pick_lift_lies_where_it_always_did() -> None:
    """Measured learning figures stand on this stream of random numbers."""
    arm = SimArm()
    for seed in range(20):
        arm.reset(seed)
        rng = np.random.default_rng(seed)
        yaw, x, y = rng.uniform(-0.15, 0.15), rng.uniform(0.20, 0.28), rng.uniform(-0.06, 0.06)
        turned = [np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        assert arm.scene()[:7].tolist() == [x, y, CUBE_HALF_M, *turned]


@pytest.mark.parametrize("task", TASK_NAMES)
def test_with_no_area_things_lie_in_the_middle(task: TaskName) -> None:
    places = {_place(TASKS[task], seed, 0.0) for seed in range(5)}
    assert len(places) == 1
    assert len({_place(TASKS[task], seed, 1.0) for seed in range(5)}) == 5


@given(st.floats(0.0, 1.0), st.integers(0, 1000))
def test_a_share_of_an_area_is_its_middle_part(share: float, seed: int) -> None:
    x, y = Area((0.0, 10.0), (2.0, 14.0)).draw(np.random.default_rng(seed), share)
    side = share**0.5 + 1e-9
    assert abs(x - 1.0) <= side and abs(y - 12.0) <= 2.0 * side


def test_reach_is_done_within_fifteen_millimetres() -> None:
    def state(away_m: float) -> TaskState:
        return reach_state(TOOL, NOWHERE, at(TOOL, away_m))

    assert state(0.0149).success and not state(0.0151).success
    assert (state(0.0149).object_position_m == TOOL).all(), "what is brought to the marker is the tool"


def test_push_is_done_when_the_cube_lies_on_the_spot() -> None:
    spot = np.array([0.25, 0.04, 0.0])
    assert push_state(TOOL, at(spot, 0.019, CUBE_HALF_M), spot).success
    assert not push_state(TOOL, at(spot, 0.021, CUBE_HALF_M), spot).success
    carried = push_state(TOOL, at(spot, 0.0, 0.05), spot)
    assert not carried.success and carried.progress < 1.0


def test_pick_lift_is_done_above_six_centimetres() -> None:
    assert pick_lift_state(TOOL, np.array([0.25, 0.0, 0.0601]), NOWHERE).success
    assert not pick_lift_state(TOOL, np.array([0.25, 0.0, 0.0599]), NOWHERE).success


CUBE = np.array([0.24, -0.1, CUBE_HALF_M])
SPOT = np.array([0.24, 0.0, 0.0])
AWAY = np.array([0.0, -1.0, 0.0])
WAYS: dict[str, Callable[[float], TaskState]] = {
    "reach the marker": lambda left_m: reach_state(TOOL, NOWHERE, TOOL + left_m * AWAY),
    "reach the cube to push": lambda left_m: push_state(CUBE + left_m * AWAY, CUBE, SPOT),
    "push it": lambda left_m: push_state(TOOL, at(SPOT, -left_m, CUBE_HALF_M), SPOT),
    "reach the cube to grasp": lambda left_m: pick_lift_state(CUBE + left_m * AWAY, CUBE, NOWHERE),
    "lift it": lambda left_m: pick_lift_state(CUBE, at(CUBE, 0.0, 0.3 - left_m), NOWHERE),
}


@pytest.mark.parametrize("way", WAYS)
@given(one_m=st.floats(0.0, 0.3), other_m=st.floats(0.0, 0.3))
def test_the_nearer_the_greater_the_progress_and_it_is_whole_at_success(
    way: str, one_m: float, other_m: float
) -> None:
    near, far = (WAYS[way](left_m) for left_m in sorted((one_m, other_m)))
    assert 0.0 <= far.progress <= near.progress <= 1.0
    for state in (near, far):
        assert not state.success or state.progress == state.reward == 1.0
    if far.success:
        assert near.success


@pytest.mark.parametrize("task", TASK_NAMES)
def test_the_reward_is_success_or_progress_as_configured(task: TaskName) -> None:
    sparse, dense = SimArm(task=task).task_state(), SimArm(task=task, reward="dense").task_state()
    assert sparse.reward == 0.0
    assert -1.0 < dense.reward == dense.progress - 1.0 == sparse.progress - 1.0 < 0.0


def _place(task: Task, seed: int, share: float) -> tuple[float, ...]:
    layout = task.lay_out(np.random.default_rng(seed), share)
    things = [thing for thing in (layout.cube_m, layout.goal_m) if thing is not None]
    return tuple(float(value) for value in np.concatenate(things).round(9))
