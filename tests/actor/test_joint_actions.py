"""Actions as joint deltas: what they move, what of them is stored, and how persons drive such a run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.altered import altered
from workers.actor.hand import JointHand, hand_of
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.processors.build import feature_spec, pipelines_of
from workers.processors.transition import GripperCommand
from workers.robot.build import kinematics_of, limits_of
from workers.robot.figures import GRIPPER, JOINT_NAMES
from workers.teleop.device import DeviceWord
from workers.teleop.scripts import Hand as ScriptHand
from workers.teleop.scripts import ReachScript, TaskView

STEP_DEG = 6.0
JOINTS = {"env.processor.action_space": "joints", "env.processor.joint_step_deg": STEP_DEG}
STAY = float(GripperCommand.STAY)


def config(task: str = "pick_lift", **changes: object) -> Config:
    return without_cameras(altered({**JOINTS, **changes}, load(ready_config(f"sim_{task}"))))


def test_an_action_has_a_delta_for_each_joint_and_the_gripper() -> None:
    spec = feature_spec(config())
    assert (spec.motion_dim, spec.action_dim) == (5, 6)
    names = pipelines_of(config()).stored["action"].names
    assert names == (*(f"{joint}.delta" for joint in JOINT_NAMES[:GRIPPER]), "gripper")
    env, _ = sim_env(config())
    assert env.action_space.shape == (6,)


def test_a_delta_moves_its_joint_by_the_step_and_no_other() -> None:
    env, port = sim_env(config())
    env.reset(seed=1)
    before = port.read().joints_deg
    for _ in range(3):
        *_, info = env.step(np.array([0.5, 0, 0, 0, -0.5, STAY], np.float32))
        np.testing.assert_allclose(info["executed_action"], [0.5, 0, 0, 0, -0.5, STAY], atol=1e-6)
    for _ in range(5):
        env.step(np.array([0, 0, 0, 0, 0, STAY], np.float32))
    way = (port.read().joints_deg - before)[:GRIPPER]
    np.testing.assert_allclose(way, [1.5 * STEP_DEG, 0, 0, 0, -1.5 * STEP_DEG], atol=0.6)


def test_what_a_joint_limit_cuts_off_is_not_stored() -> None:
    env, _ = sim_env(config())
    env.reset(seed=1)
    executed = []
    for _ in range(40):
        *_, info = env.step(np.array([0, 0, 0, 0, 1.0, STAY], np.float32))
        executed.append(float(info["executed_action"][4]))
    assert executed[0] == 1.0 and executed[-1] == pytest.approx(0.0, abs=1e-6)
    reached = limits_of(config()).upper_deg[4] - config().env.reset_pose[4]
    assert sum(executed) * STEP_DEG == pytest.approx(reached, abs=1.0)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.floats(-4.0, 4.0), min_size=5, max_size=5), min_size=3, max_size=12))
def test_no_action_makes_the_goal_go_faster_than_the_limiter(actions: list[list[float]]) -> None:
    chosen = config()
    env, port = sim_env(chosen)
    env.reset(seed=2)
    most = limits_of(chosen).speed_deg_s / chosen.env.fps + 1e-6
    before = port.read().goal_deg
    for action in actions:
        *_, info = env.step(np.array([*action, STAY], np.float32))
        after = port.read().goal_deg
        assert (np.abs(after - before) <= most).all()
        assert (np.abs(info["executed_action"][:5]) <= 1.0).all()
        before = after


def test_a_person_and_a_script_speak_in_directions_of_space() -> None:
    """An action of the tool's size is turned into joint deltas; what is stored is those."""
    env, _ = sim_env(config())
    _, info = env.reset(seed=1)
    start = info["ee_position_m"]
    for _ in range(4):
        *_, info = env.step(np.array([0.5, 0, 0, STAY], np.float32))
        assert info["executed_action"].shape == (6,)
    for _ in range(5):
        *_, info = env.step(np.array([0, 0, 0, STAY], np.float32))
    np.testing.assert_allclose(info["ee_position_m"] - start, [0.04, 0.0, 0.0], atol=0.006)


def test_the_scripted_person_reaches_its_goal_with_joint_actions() -> None:
    env, _ = sim_env(config("reach", **{"env.processor.gripper.use_gripper": False}))
    _, info = env.reset(seed=4)
    terminated, steps = False, 0
    while not terminated and steps < 60:
        action = ReachScript(ScriptHand(use_gripper=False)).action(TaskView.of(info))
        *_, terminated, _, info = env.step(action)
        steps += 1
    assert info["is_success"]


def test_a_configured_joint_limit_is_the_end_of_the_way_and_of_what_is_stored() -> None:
    start = config().env.reset_pose[0]
    env, port = sim_env(config(**{"env.robot.joint_limits_deg": {"shoulder_pan": [-90.0, start + 15.0]}}))
    env.reset(seed=1)
    executed = 0.0
    for _ in range(12):
        *_, info = env.step(np.array([1.0, 0, 0, 0, 0, STAY], np.float32))
        executed += float(info["executed_action"][0])
    assert port.read().goal_deg[0] == pytest.approx(start + 15.0, abs=1e-3)
    assert executed * STEP_DEG == pytest.approx(15.0, abs=0.1)


def test_what_the_policy_left_undone_at_a_take_over_is_not_the_still_hands() -> None:
    leading = config(**{"env.teleop.type": "so101_leader", "env.teleop.port": "p", "env.teleop.id": "i"})
    env, port = sim_env(leading)
    _, info = env.reset(seed=1)
    hand = hand_of(leading, env, kinematics_of(leading))
    for _ in range(3):
        *_, info = env.step(np.array([1.0, -1.0, 1.0, 0, 1.0, STAY], np.float32))
    assert (
        np.abs(port.read().goal_deg - info["goal_deg"])[:GRIPPER].max() > 0.2
    )  # the gate has yet to get there
    info = {**info, **env.halt()}
    for _ in range(2):
        action = hand.action(word(np.zeros(6)), info)
        np.testing.assert_allclose(action[:5], 0.0, atol=1e-6)
        env.begin_step(action, human_action=action)
        port.wait_period()
        *_, info = env.finish_step()
        np.testing.assert_allclose(info["executed_action"][:5], 0.0, atol=1e-6)


def word(joints_deg: np.ndarray) -> DeviceWord:
    return DeviceWord(live=True, lost=False, intervene=True, joints_deg=joints_deg)


def test_a_leader_gives_joint_deltas_and_takes_over_without_a_jump() -> None:
    leading = config(**{"env.teleop.type": "so101_leader", "env.teleop.port": "p", "env.teleop.id": "i"})
    env, port = sim_env(leading)
    _, info = env.reset(seed=1)
    hand = hand_of(leading, env, kinematics_of(leading))
    assert isinstance(hand, JointHand)
    leader = port.read().joints_deg + np.array([40.0, -30.0, 20.0, 10.0, -60.0, 0.0])
    first = hand.action(word(leader), info)
    np.testing.assert_allclose(first, [0, 0, 0, 0, 0, STAY], atol=1e-6)
    begun = port.read().joints_deg
    for _ in range(12):
        leader = leader + np.array([3.0, 0, 0, 0, 0, 0])
        action = hand.action(word(leader), info)
        assert (np.abs(action[:5]) <= 1.0).all()
        env.begin_step(action, human_action=action)
        port.wait_period()
        *_, info = env.finish_step()
        assert info["is_intervention"] and info["executed_action"].shape == (6,)
    assert port.read().joints_deg[0] - begun[0] > 20.0
    hand.release()
    far = hand.action(word(leader + 50.0), info)
    np.testing.assert_allclose(far[:5], 0.0, atol=1e-6)
