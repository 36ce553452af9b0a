import numpy as np
import pytest

from workers.actor.environment import ArmEnv
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.teleop.scripted import PickLiftScript


@pytest.fixture(scope="module")
def env() -> ArmEnv:
    return sim_env(without_cameras(load(ready_config())))[0]


def finish(env: ArmEnv, seed: int, script: PickLiftScript, random_steps: int = 0) -> tuple[bool, int]:
    """Success and number of steps of one episode that starts with `random_steps` random actions."""
    _, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    for step in range(1, 100):
        if step <= random_steps:
            action = env.action_space.sample()
        else:
            action = script.action(info["cube_position_m"], info["ee_position_m"], info["gripper_pct"])
        _, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return terminated, step


def test_it_picks_up_the_cube_from_every_start(env: ArmEnv) -> None:
    results = [finish(env, seed, PickLiftScript()) for seed in range(20)]
    assert all(success for success, _ in results)
    assert np.mean([steps for _, steps in results]) < 12


def test_it_copes_with_its_own_noise(env: ArmEnv) -> None:
    script = PickLiftScript(noise=0.15, rng=np.random.default_rng(0))
    assert sum(finish(env, seed, script)[0] for seed in range(20)) == 20


def test_it_takes_over_from_a_policy_that_wandered_off(env: ArmEnv) -> None:
    assert sum(finish(env, 2000 + seed, PickLiftScript(), 6)[0] for seed in range(20)) >= 19


def test_it_opens_again_when_it_closed_on_nothing() -> None:
    cube, tool = np.array([0.25, 0.0, 0.0125]), np.array([0.234, 0.0, 0.014])
    assert PickLiftScript().action(cube, tool, gripper_pct=1.0)[3] == 2


def test_the_same_generator_gives_the_same_noise() -> None:
    cube, tool = np.array([0.25, 0.0, 0.0125]), np.array([0.2, 0.0, 0.1])
    drawn = [
        PickLiftScript(noise=0.3, rng=np.random.default_rng(7)).action(cube, tool, 40.0) for _ in range(2)
    ]
    assert (drawn[0] == drawn[1]).all()
