"""Scripted persons: they do their tasks, from anywhere, with an unsteady hand."""

from collections.abc import Iterator

import numpy as np
import pytest

from workers.actor.environment import ArmEnv
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.robot.tasks import TASKS, TaskName
from workers.teleop.scripts import (
    Hand,
    PickLiftScript,
    PushScript,
    Script,
    TaskView,
    clumsy_of,
    script_of,
)
from workers.teleop.scripts.wave import WaveScript

Bench = tuple[TaskName, Config, ArmEnv]


@pytest.fixture(scope="module", params=TASKS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    config = without_cameras(load(ready_config(f"sim_{request.param}")))
    env, _ = sim_env(config)
    yield request.param, config, env
    env.close()


def make_script(bench: Bench, noise: float = 0.0) -> Script:
    task, config, _ = bench
    processor, steps = config.env.processor, config.env.workspace.end_effector_step_sizes
    rng = np.random.default_rng(0)
    sizes = (steps.x, steps.y, steps.z)
    return script_of(task, sizes, processor.max_gripper_pos, noise, rng, processor.gripper.use_gripper)


def finish(env: ArmEnv, seed: int, script: Script, random_steps: int = 0) -> tuple[bool, list[float]]:
    """Success, and what the script thought remained before each of its steps, after some random actions."""
    _, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    left_m = []
    for step in range(1, 100):
        if step <= random_steps:
            action = env.action_space.sample()
        else:
            left_m.append(script.remaining_m(TaskView.of(info)))
            action = script.action(TaskView.of(info))
        _, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return terminated, left_m


def test_it_does_the_task_from_every_start_and_sees_it_getting_done(bench: Bench) -> None:
    most = {"reach": 5, "push": 16, "pick_lift": 13}[bench[0]]
    results = [finish(bench[2], seed, make_script(bench)) for seed in range(12)]
    assert all(success for success, _ in results)
    assert np.mean([len(left_m) for _, left_m in results]) < most
    assert all(left_m[-1] < left_m[0] - 0.02 for _, left_m in results)


def test_it_copes_with_its_own_noise(bench: Bench) -> None:
    script = make_script(bench, noise=0.15)
    assert sum(finish(bench[2], seed, script)[0] for seed in range(20)) >= 19


def test_it_takes_over_from_a_policy_that_wandered_off(bench: Bench) -> None:
    results = [finish(bench[2], 2000 + seed, make_script(bench), 6) for seed in range(12)]
    assert sum(success for success, _ in results) >= 11


def test_who_fails_on_purpose_gets_to_the_object_and_never_does_the_task(bench: Bench) -> None:
    task, config, env = bench
    steps = config.env.workspace.end_effector_step_sizes
    rng = np.random.default_rng(1)
    hand = Hand((steps.x, steps.y, steps.z), noise=0.15, rng=rng, use_gripper=env.features.gripper)
    clumsy = clumsy_of(task, hand, rng)
    succeeded, moved_m = 0, []
    for seed in range(16):
        clumsy.begin()
        _, info = env.reset(seed=seed)
        began_m = info["object_position_m"]
        for _ in range(40):
            _, reward, terminated, _, info = env.step(clumsy.action(TaskView.of(info)))
            succeeded += reward > 0
            if terminated:
                break
        moved_m.append(np.linalg.norm(info["object_position_m"] - began_m))
    assert succeeded <= 1, "by accident"
    assert np.mean(np.array(moved_m) > 0.005) > 0.4, "it tried"


def test_an_action_has_a_gripper_command_where_the_arm_takes_one() -> None:
    scene = TaskView(
        np.array([0.25, 0.0, 0.0125]), np.array([0.25, 0.05, 0.0]), np.array([0.2, 0.0, 0.1]), 40.0
    )
    assert PushScript(Hand()).action(scene).shape == (4,), "with open jaws, that is to close them"
    assert PushScript(Hand()).action(scene)[3] == 0
    assert PushScript(Hand(use_gripper=False)).action(scene).shape == (3,)


def test_it_opens_again_when_it_closed_on_nothing() -> None:
    cube = np.array([0.25, 0.0, 0.0125])
    scene = TaskView(cube, cube, np.array([0.234, 0.0, 0.014]), gripper_pct=1.0)
    assert PickLiftScript(Hand()).action(scene)[3] == 2


def test_the_same_generator_gives_the_same_noise() -> None:
    cube = np.array([0.25, 0.0, 0.0125])
    scene = TaskView(cube, cube, np.array([0.2, 0.0, 0.1]), 40.0)
    drawn = [PickLiftScript(Hand(noise=0.3, rng=np.random.default_rng(7))).action(scene) for _ in range(2)]
    assert (drawn[0] == drawn[1]).all()


def test_whoever_waves_shows_more_than_the_task_s_places(bench: Bench) -> None:
    task, config, env = bench
    steps = config.env.workspace.end_effector_step_sizes
    script = WaveScript(Hand((steps.x, steps.y, steps.z), noise=0.15, use_gripper=env.features.gripper), task)
    _, info = env.reset(seed=0)
    seen = []
    for _ in range(120):
        seen.append(info["ee_position_m"])
        *_, info = env.step(script.action(TaskView.of(info)))
    assert not script.nearly_done(TaskView.of(info)) and script.remaining_m(TaskView.of(info)) >= 0.0
    for area in (TASKS[task].cube_area, TASKS[task].goal_area):
        if area is not None:
            assert (np.min(seen, axis=0)[:2] < np.array(area.min_m)[:2] + 0.01).all()
            assert (np.max(seen, axis=0)[:2] > np.array(area.max_m)[:2] - 0.01).all()
