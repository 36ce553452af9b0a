"""Hand-over between policy and leader: whatever the poses and the moment, the arm never jumps."""

import numpy as np
import pytest

from tests.teleop.hand_over import LIMITS, HandOver, excess, random_hand_over, random_pose
from tests.teleop.leader_arms import TICK_S
from workers.processors.transition import GripperCommand
from workers.robot.figures import GRIPPER

FEW, MANY = 150, 1000  # of each kind
MOST_FIRST_DEG = 1.0


KINDS = [
    pytest.param((by_joints, times), id=f"{name}-{times}", marks=marks)
    for by_joints, name in ((False, "end-effector"), (True, "joints"))
    for times, marks in ((FEW, ()), (MANY, pytest.mark.slow))
]


@pytest.fixture(scope="module", params=KINDS)
def scenes(request: pytest.FixtureRequest) -> list[HandOver]:
    by_joints, times = request.param
    return [random_hand_over(np.random.default_rng([seed, by_joints]), by_joints) for seed in range(times)]


def test_no_goal_goes_further_in_a_tick_than_the_limiter_allows(scenes: list[HandOver]) -> None:
    worst_deg, worst_pct = np.max([excess(scene) for scene in scenes], axis=0)
    assert worst_deg <= 1e-9 and worst_pct <= 1e-9


def test_the_first_human_step_begins_where_the_arm_is(scenes: list[HandOver]) -> None:
    firsts = [first for scene in scenes for first in scene.first_deg]
    assert len(firsts) > 0.8 * len(scenes)
    assert max(firsts) <= MOST_FIRST_DEG


def test_some_of_these_hand_overs_go_far_and_some_have_errors_on_the_bus(scenes: list[HandOver]) -> None:
    """The law above is not one of arms that stand still."""
    far = [np.ptp(np.array(scene.arm.goals), axis=0)[:GRIPPER].max() for scene in scenes]
    assert np.median(far) > 10.0
    assert sum(scene.errors_while_driving > 0 for scene in scenes) > len(scenes) / 10
    apart = [np.abs(scene.leader_was_at - scene.arm.goals[0])[:GRIPPER].max() for scene in scenes]
    assert np.median(apart) > 50.0


def test_a_leader_that_jumps_while_it_drives_moves_the_arm_no_faster_than_the_limiter() -> None:
    rng = np.random.default_rng(3)
    scene = random_hand_over(rng)
    for _ in range(20):
        scene.leader.joints_deg = random_pose(rng, anywhere=True)
        scene.period(human=True, policy=np.array([0, 0, 0, GripperCommand.STAY], np.float32))
    assert max(excess(scene)) <= 1e-9
    speeds = np.abs(np.diff(scene.arm.goals, axis=0)) / TICK_S
    assert (speeds[:, :GRIPPER] > 0.5 * LIMITS.speed_deg_s[:GRIPPER]).any(), "it does follow"
