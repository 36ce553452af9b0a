import subprocess
import sys
import warnings
from collections.abc import Iterator

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import workers.actor
from workers.actor.environment import ArmEnv
from workers.actor.sim_env import make_sim, sim_env, without_cameras
from workers.config import Config, EnvConfig, load
from workers.config.ready import ready_config
from workers.processors.transition import Judgement

STAY = np.array([0, 0, 0, 1], np.float32)


def blind() -> Config:
    return without_cameras(load(ready_config()))


@pytest.fixture(scope="module")
def env() -> Iterator[ArmEnv]:
    made = make_sim("pick_lift")
    yield made
    made.close()


def test_gymnasium_finds_nothing_to_complain_about() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the gripper command is 0, 1 or 2, as in LeRobot, not -1 .. 1
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space")
        made = gymnasium.make(workers.actor.PICK_LIFT, render_mode="rgb_array")
        check_env(made.unwrapped)


def test_the_same_seed_gives_identical_pictures_and_states(env: ArmEnv) -> None:
    def run() -> list[bytes]:
        seen = [env.reset(seed=11)[0]]
        rng = np.random.default_rng(0)
        for _ in range(12):
            action = np.array([*rng.uniform(-1, 1, 3), rng.integers(3)], np.float32)
            seen.append(env.step(action)[0])
        return [value.tobytes() for observation in seen for value in observation.values()]

    assert run() == run()


def test_another_seed_gives_another_scene(env: ArmEnv) -> None:
    first, second = env.reset(seed=1)[1], env.reset(seed=2)[1]
    assert not np.allclose(first["object_position_m"], second["object_position_m"])


def test_an_action_moves_the_tool_its_way(env: ArmEnv) -> None:
    _, before = env.reset(seed=3)
    for _ in range(2):
        _, _, _, _, info = env.step(np.array([0, 1, -0.5, 1], np.float32))
    for _ in range(2):
        _, _, _, _, info = env.step(STAY)
    assert info["ee_position_m"] - before["ee_position_m"] == pytest.approx([0, 0.04, -0.02], abs=0.004)


def test_an_episode_has_exactly_its_steps() -> None:
    config = blind()
    processor = config.env.processor
    reset = msgspec.structs.replace(processor.reset, control_time_s=0.7)
    processor = msgspec.structs.replace(processor, reset=reset)
    env, _ = sim_env(
        msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, processor=processor))
    )
    env.reset(seed=0)
    ends = [env.step(STAY)[2:4] for _ in range(7)]
    assert ends == [(False, False)] * 6 + [(False, True)]


def test_nudges_change_the_target_at_once_and_count_as_intervention(env: ArmEnv) -> None:
    env.reset(seed=0)
    env.begin_step(np.array([0.5, 0, 0, 1], np.float32))
    env.nudge(np.array([0.3, 0, 0, 0], np.float32))
    _, _, _, _, info = env.finish_step()
    assert info["is_intervention"]
    assert info["executed_action"] == pytest.approx([0.8, 0, 0, 0])
    assert info["discrete_penalty"] < 0
    _, _, _, _, info = env.step(STAY)
    assert not info["is_intervention"] and info["discrete_penalty"] == 0


def test_a_person_may_end_the_episode_either_way(env: ArmEnv) -> None:
    for judgement, reward in ((Judgement.SUCCESS, 1.0), (Judgement.FAILURE, 0.0)):
        env.reset(seed=0)
        env.begin_step(STAY)
        env.judge(judgement)
        _, got, terminated, truncated, info = env.finish_step()
        assert (got, terminated, truncated, info["is_success"]) == (reward, True, False, reward == 1.0)


def test_stepping_before_reset_says_so() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        sim_env(blind())[0].step(STAY)


def test_registration_imports_nothing_heavy() -> None:
    code = "import sys, workers.actor; assert not {'mujoco', 'torch', 'pinocchio', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_settings_hold_from_the_next_step_on() -> None:
    made, _ = sim_env(blind())
    try:
        made.reset(seed=1)
        opened = np.array([0, 0, 0, 2], np.float32)
        closed = np.array([0, 0, 0, 0], np.float32)
        made.begin_step(closed)
        changed = other_settings(gripper_penalty=-0.5, control_time_s=0.3)
        made.change(changed)  # in the middle of a step
        assert made.finish_step()[4]["discrete_penalty"] == pytest.approx(-0.02)
        _, _, _, truncated, info = made.step(opened)
        assert info["discrete_penalty"] == pytest.approx(-0.5)
        assert made.step_limit == 3 and not truncated
        assert made.step(opened)[3]
    finally:
        made.close()


def other_settings(gripper_penalty: float, control_time_s: float) -> EnvConfig:
    env = blind().env
    replace = msgspec.structs.replace
    gripper = replace(env.processor.gripper, gripper_penalty=gripper_penalty)
    reset = replace(env.processor.reset, control_time_s=control_time_s)
    return replace(env, processor=replace(env.processor, gripper=gripper, reset=reset))
