"""The simulated arm: the same every time, things where the task says, readings as a real arm gives them."""

import numpy as np
import pytest

from workers.robot.drivers.sim import AMPERE_PER_NM, RESET_POSE_DEG, SimArm
from workers.robot.figures import GRIPPER, SERVO
from workers.robot.scene import SCENE_LENGTH
from workers.robot.tasks import TASKS, TaskName

TASK_NAMES = tuple(TASKS)
START = np.array(RESET_POSE_DEG)


@pytest.mark.parametrize("task", TASK_NAMES)
def test_the_same_seed_and_goals_give_the_same_motion_bit_for_bit(task: TaskName) -> None:
    def run() -> np.ndarray:
        arm = SimArm(task=task)
        arm.reset(5)
        goal = START.copy()
        for _ in range(50):
            goal[:5] += 0.3
            arm.write(goal)
            arm.advance(0.02)
        return arm.scene()

    assert run().tobytes() == run().tobytes()


@pytest.mark.parametrize("task", TASK_NAMES)
def test_an_episode_does_not_depend_on_the_ones_before(task: TaskName) -> None:
    used, fresh = SimArm(task=task), SimArm(task=task)
    used.write(START + 10.0)
    used.advance(0.5)
    for arm in (used, fresh):
        arm.reset(3)
        arm.advance(0.1)
    assert used.scene().tobytes() == fresh.scene().tobytes()


def test_a_scene_holds_what_the_task_has_and_nothing_else() -> None:
    has = {task: np.isfinite(SimArm(task=task).scene()) for task in TASK_NAMES}
    assert all(finite.shape == (SCENE_LENGTH,) and finite[7:13].all() for finite in has.values())
    assert not has["reach"][:7].any() and has["reach"][13:].all()
    assert has["push"].all()
    assert has["pick_lift"][:7].all() and not has["pick_lift"][13:].any()


def test_the_arm_starts_eight_centimetres_above_the_table_and_stays_there() -> None:
    arm = SimArm()
    start = arm.tool_position_m()
    arm.advance(2.0)
    assert abs(start[2] - 0.08) < 0.005
    assert np.abs(arm.tool_position_m() - start).max() < 0.003


def test_time_passes_in_whole_physics_steps_and_nothing_is_lost() -> None:
    arm = SimArm()
    for _ in range(100):
        arm.advance(0.0101)
    assert abs(arm.read().stamp_s - 1.01) < 0.0041


def test_a_reading_tells_the_newest_goal() -> None:
    arm = SimArm()
    assert (arm.read().goal_deg == START).all()
    arm.write(START + 1.0)
    arm.advance(0.02)
    assert (arm.read().goal_deg == START + 1.0).all()
    arm.reset(0, START - 2.0)
    assert (arm.read().goal_deg == START - 2.0).all()


def test_currents_follow_the_torque_and_its_sign() -> None:
    """At rest the shoulder carries the arm; asked far either way it pulls with all it has, that way."""
    arm = SimArm()
    arm.advance(1.0)
    rest = arm.read().current_a
    assert 0.05 < abs(rest[1]) < 1.5
    for way in (1.0, -1.0):
        arm.place(START)
        arm.write(START + way * np.array([30.0, 0, 0, 0, 0, 0]))
        arm.advance(0.004)
        current = arm.read().current_a
        assert current[0] == pytest.approx(way * 2.7, abs=0.01), "the stall current"
    assert abs(current[GRIPPER]) <= SERVO.gripper_torque_limit * AMPERE_PER_NM
