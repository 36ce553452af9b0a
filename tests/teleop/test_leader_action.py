"""The leader's joints as a person's action: no jump at hand-over, the leader's way afterwards."""

import numpy as np
import pytest

from tests.teleop.leader_arms import KINEMATICS
from workers.processors.transition import GripperCommand
from workers.robot.figures import GRIPPER, Floats
from workers.teleop.leader_action import WORKED_OFF, Clutch, LeaderAction, LeaderJoints, Trigger

STEPS = np.array([0.02, 0.02, 0.02])
ARM = np.array([10.0, -20.0, 30.0, 40.0, 5.0, 60.0])
ELSEWHERE = np.array([-30.0, 20.0, 0.0, 0.0, -40.0, 10.0])
STAY = float(GripperCommand.STAY)


def leader_action(use_gripper: bool = True) -> LeaderAction:
    return LeaderAction(KINEMATICS, STEPS, use_gripper)


def turned(joints_deg: Floats, **by: float) -> Floats:
    names = ("pan", "lift", "elbow", "wrist", "roll", "gripper")
    return joints_deg + np.array([by.get(name, 0.0) for name in names])


def test_the_first_action_moves_nothing_wherever_the_leader_is() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        leader, arm = rng.uniform(-90, 90, (2, 6))
        action = leader_action().action(leader, KINEMATICS.position(arm))
        assert np.abs(action[:3]).max() < 1e-6 and action[3] == STAY


def test_the_arm_goes_the_way_the_leader_goes() -> None:
    leading, target_m = leader_action(), KINEMATICS.position(ARM)
    leading.action(ARM, target_m)
    moved = turned(ARM, pan=2.0)
    action = leading.action(moved, target_m)
    way = KINEMATICS.position(moved) - target_m
    np.testing.assert_allclose(action[:3] * STEPS, way, atol=1e-6)


def test_a_leader_that_ran_ahead_is_caught_up_with_one_unit_at_a_time() -> None:
    leading, target_m = leader_action(), KINEMATICS.position(ARM)
    leading.action(ARM, target_m)
    far = turned(ARM, pan=40.0)
    start_m, steps = target_m, 0
    while np.linalg.norm(KINEMATICS.position(far) - target_m) > 1e-6:
        action = leading.action(far, target_m)
        assert np.abs(action[:3]).max() <= 1.0
        target_m = target_m + action[:3] * STEPS
        steps += 1
    assert steps >= np.abs(KINEMATICS.position(far) - start_m).max() / STEPS[0]


def test_a_difference_is_worked_off_only_while_the_leader_moves() -> None:
    clutch = Clutch(np.array([0.3, 0.0, 0.0]), np.array([0.2, 0.0, 0.0]))
    for _ in range(100):
        assert clutch.wanted(np.array([0.3, 0.0, 0.0])).tolist() == pytest.approx([0.2, 0.0, 0.0])
    wanted = clutch.wanted(np.array([0.3, 0.04, 0.0]))
    assert wanted.tolist() == pytest.approx([0.2 + WORKED_OFF * 0.04, 0.04, 0.0])
    for y in np.arange(0.04, 1.0, 0.02):
        wanted = clutch.wanted(np.array([0.3, y, 0.0]))
    assert wanted.tolist() == pytest.approx([0.3, y, 0.0]), "in the end they are in the same place"


def test_after_a_release_it_begins_without_a_motion_again() -> None:
    leading, target_m = leader_action(), KINEMATICS.position(ARM)
    leading.action(ARM, target_m)
    leading.release()
    action = leading.action(ELSEWHERE, target_m)
    assert np.abs(action[:3]).max() < 1e-6 and action[3] == STAY


def test_the_trigger_opens_and_closes_once_per_squeeze() -> None:
    trigger = Trigger()
    ways = [50, 45, 40, 30, 25, 25, 28, 20, 30, 38, 45, 45]
    told = [trigger.command(float(way)).name for way in ways]
    assert told == ["STAY"] * 3 + ["CLOSE"] + ["STAY"] * 5 + ["OPEN"] + ["STAY"] * 2


def test_a_gripper_that_is_closed_at_100_percent_turns_the_trigger_round() -> None:
    trigger = Trigger(100.0)
    assert [trigger.command(pct).name for pct in (10.0, 40.0)] == ["STAY", "CLOSE"]


def test_without_a_gripper_the_action_is_motion_alone() -> None:
    assert leader_action(use_gripper=False).action(ARM, KINEMATICS.position(ARM)).shape == (3,)


def test_joint_targets_begin_at_the_arms_goal_and_go_the_leaders_way() -> None:
    rng = np.random.default_rng(1)
    for _ in range(1000):
        joints = LeaderJoints()
        leader, goal = rng.uniform(-90, 90, (2, 6))
        np.testing.assert_allclose(joints.target(leader, goal), goal, atol=1e-12)
    joints = LeaderJoints()
    joints.target(ARM, ARM)
    np.testing.assert_allclose(
        joints.target(turned(ARM, elbow=7.0, gripper=-9.0), ARM)[[2, GRIPPER]], [37, 51]
    )
