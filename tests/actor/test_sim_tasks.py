"""The registered tasks: what Gymnasium asks of them, their rewards, and what differs from episode to episode."""

import warnings

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from workers.actor import PICK_LIFT, PUSH, REACH
from workers.actor.sim_env import InProcessArm, make_sim, sim_env, without_cameras
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.config.simulation import SimulationConfig
from workers.robot.build import kinematics_of, limits_of
from workers.teleop.scripts import Hand, ReachScript, TaskView

ALL = {REACH: "reach", PUSH: "push", PICK_LIFT: "pick_lift"}


def varied(task: str, **simulation: float | str) -> Config:
    config = load(ready_config(f"sim_{task}"))
    section = msgspec.structs.replace(config.env.simulation, **simulation)
    return msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, simulation=section))


@pytest.mark.parametrize("name", ALL)
def test_gymnasium_finds_nothing_to_complain_about(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the gripper command is 0, 1 or 2, as in LeRobot, not -1 .. 1
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space")
        made = gymnasium.make(name, render_mode="rgb_array", reward="dense", light=0.5, start_pose_deg=2.0)
        check_env(made.unwrapped)
        made.close()


@pytest.mark.parametrize("key", [{"lights": 1.0}, {"light": 2.0}, {"reward": "huge"}])
def test_an_argument_that_is_wrong_is_named(key: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=r"env\.simulation: .*" + next(iter(key))):
        make_sim("reach", **key)


def test_rewards_are_sparse_or_dense_and_whole_at_success() -> None:
    rewards = {}
    for reward in ("sparse", "dense"):
        env, _ = sim_env(without_cameras(varied("reach", reward=reward)))
        _, info = env.reset(seed=4)
        rewards[reward] = []
        terminated = False
        while not terminated:
            action = ReachScript(Hand(use_gripper=False)).action(TaskView.of(info))
            _, got, terminated, _, info = env.step(action)
            rewards[reward].append(got)
        assert info["is_success"]
    assert rewards["sparse"] == [0.0] * (len(rewards["sparse"]) - 1) + [1.0]
    dense = rewards["dense"]
    assert dense == sorted(dense) and -1.0 < dense[0] < -0.1 and dense[-1] == 1.0


def port_of(config: Config) -> InProcessArm:
    return InProcessArm(without_cameras(config), kinematics_of(config))


def test_start_poses_differ_within_their_degrees_and_inside_limits_and_bounds() -> None:
    config = varied("reach", start_pose_deg=8.0)
    limits, bounds = limits_of(config), config.env.workspace.end_effector_bounds
    port, kinematics, rest = port_of(config), kinematics_of(config), np.array(config.env.reset_pose)
    seen = []
    for seed in range(40):
        port.reset(seed)
        pose = port.read().joints_deg
        seen.append(pose)
        assert np.abs(pose - rest)[:5].max() <= 8.0 + 1e-6 and pose[5] == pytest.approx(rest[5], abs=1e-6)
        assert (pose[:5] >= limits.lower_deg[:5] - 1e-6).all()
        assert (pose[:5] <= limits.upper_deg[:5] + 1e-6).all()
        tool_m = kinematics.position(pose)
        assert (tool_m >= np.subtract(bounds.min, 1e-6)).all() and (tool_m <= np.add(bounds.max, 1e-6)).all()
    assert np.ptp(seen, axis=0)[:3].min() > 8.0


def test_other_randomisation_does_not_move_things_on_the_table() -> None:
    plain, all_else = (
        port_of(varied("push")),
        port_of(varied("push", start_pose_deg=5.0, light=1.0, camera_jitter_deg=3.0, reward="dense")),
    )
    for seed in range(5):
        plain.reset(seed)
        all_else.reset(seed)
        one, other = plain.task_state(), all_else.task_state()
        assert (one.object_position_m == other.object_position_m).all()
        assert (one.goal_position_m == other.goal_position_m).all()


def test_in_one_process_too_an_episodes_look_comes_from_its_seed() -> None:
    env, port = sim_env(varied("reach", light=1.0, camera_jitter_deg=3.0, object_area=0.0))
    pictures = []
    for seed in (1, 2, 1):
        port.reset(seed)
        pictures.append(port.frames()["front"].tobytes())
    assert pictures[0] == pictures[2] != pictures[1]
    env.close()


def test_a_reading_counts_the_ticks_in_which_the_gate_cut_a_goal() -> None:
    port = port_of(varied("reach"))
    port.reset(0)
    port.send(port.read().joints_deg)
    port.wait_period()
    assert port.read().clipped_ticks == 0
    port.send(port.read().joints_deg + 200.0)
    port.wait_period()
    reading = port.read()
    assert reading.clipped_ticks > 0
    assert (reading.goal_deg < 200.0).all() and np.abs(reading.current_a).max() > 0.1


def test_the_defaults_are_the_ready_configurations() -> None:
    for task in ALL.values():
        assert load(ready_config(f"sim_{task}")).env.simulation == SimulationConfig()
        assert load(ready_config(f"sim_{task}")).env.task == task
