"""Promises of the global inverse: any reachable pose, the nearest position otherwise, never a look back."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.robot.arm_model import builtin_model
from workers.robot.arms import ARMS, Arm
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics, Solution
from workers.robot.solver import Pose

MARGIN_DEG = 2.0
SEED = np.array([0.0, 0.0, 0.0, 90.0, 0.0, 30.0])
both_arms = pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
UNREACHABLE = {
    "beyond reach": ([0.45, -0.5, 0.0], [1.5, 0.5, 1.0]),
    "below the table": ([-0.4, -0.4, -0.9], [0.4, 0.4, -0.35]),
    "behind": ([-1.0, -0.3, 0.0], [-0.35, 0.3, 0.5]),
    "inside the base": ([-0.02, -0.06, 0.04], [0.1, 0.06, 0.16]),
}


@cache
def kinematics_of(arm: Arm) -> Kinematics:
    return Kinematics(MARGIN_DEG, model=builtin_model(arm))


def any_joints(kinematics: Kinematics, rng: np.random.Generator, count: int) -> Floats:
    """Joint vectors [count, 6], uniform between the limits."""
    joints = kinematics.joints
    margin = np.array([MARGIN_DEG] * GRIPPER + [0.0])
    return rng.uniform(joints.lower_deg + margin, joints.upper_deg - margin, (count, GRIPPER + 1))


def check_limits(kinematics: Kinematics, solution: Solution) -> None:
    low, high = kinematics.joints.lower_deg + MARGIN_DEG, kinematics.joints.upper_deg - MARGIN_DEG
    arm = solution.joints_deg[:GRIPPER]
    assert (arm >= low[:GRIPPER] - 1e-9).all() and (arm <= high[:GRIPPER] + 1e-9).all()
    assert solution.joints_deg[GRIPPER] == pytest.approx(SEED[GRIPPER])


@both_arms
def test_the_inverse_comes_back_to_four_hundred_reachable_poses(arm: Arm) -> None:
    """tests/slow/test_kinematics_targets.py does the same with ten thousand."""
    kinematics = kinematics_of(arm)
    for joints in any_joints(kinematics, np.random.default_rng(1), 400):
        wanted = kinematics.forward(joints)
        solution = kinematics.inverse(wanted, SEED)
        found = kinematics.forward(solution.joints_deg)
        assert solution.converged
        assert np.linalg.norm(found.position_m - wanted.position_m) < 1e-4
        assert np.degrees(np.arccos(min(1.0, found.rotation[:, 2] @ wanted.rotation[:, 2]))) < 1.0
        check_limits(kinematics, solution)


@both_arms
@pytest.mark.parametrize("where", UNREACHABLE)
def test_an_unreachable_target_ends_at_the_nearest_position_there_is(arm: Arm, where: str) -> None:
    """Nearest of 10,000 postures, and nearer still from the best three of them by shrinking random steps."""
    kinematics, rng = kinematics_of(arm), np.random.default_rng(2)
    postures = any_joints(kinematics, rng, 10_000)
    positions = np.array([kinematics.position(joints) for joints in postures])
    reference = kinematics.reference(SEED)
    for target in rng.uniform(*UNREACHABLE[where], (3, 3)):
        solution = kinematics.inverse(kinematics.pose_at(target, reference), SEED)
        nearest = np.argsort(((positions - target) ** 2).sum(axis=1))[:3]
        best_m = min(refined_m(kinematics, postures[i], target, rng) for i in nearest)
        assert solution.position_error_m < best_m + 1e-3
        assert solution.converged == (solution.position_error_m < 1e-4)
        check_limits(kinematics, solution)


def refined_m(kinematics: Kinematics, joints: Floats, target_m: Floats, rng: np.random.Generator) -> float:
    """Distance to the target after a random search around `joints` within the limits."""
    low, high = kinematics.joints.lower_deg + MARGIN_DEG, kinematics.joints.upper_deg - MARGIN_DEG
    best_m, size_deg = float(np.linalg.norm(kinematics.position(joints) - target_m)), 10.0
    while size_deg > 0.02:
        for _ in range(20):
            tried = np.clip(joints + rng.normal(0.0, size_deg, GRIPPER + 1), low, high)
            tried_m = float(np.linalg.norm(kinematics.position(tried) - target_m))
            if tried_m < best_m:
                joints, best_m = tried, tried_m
        size_deg *= 0.7
    return best_m


@both_arms
def test_the_order_of_calls_never_matters(arm: Arm) -> None:
    kinematics, rng = kinematics_of(arm), np.random.default_rng(3)
    reference = kinematics.reference(SEED)
    targets = rng.uniform([0.1, -0.2, 0.0], [0.4, 0.2, 0.3], (15, 3))
    poses = [kinematics.pose_at(target, reference) for target in targets]

    def answers(order: list[int]) -> dict[int, tuple[bytes, bytes]]:
        found = {}
        for i in order:
            step, inverse = kinematics.step(targets[i], SEED, reference), kinematics.inverse(poses[i], SEED)
            found[i] = (step.joints_deg.tobytes(), inverse.joints_deg.tobytes())
        return found

    there = answers(list(range(15)))
    kinematics.inverse(Pose(np.array([5.0, 5.0, 5.0]), np.eye(3)), SEED)
    assert answers([int(i) for i in rng.permutation(15)]) == there


@settings(max_examples=15, deadline=None)
@given(
    target=st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    seed=st.lists(st.floats(-300.0, 300.0), min_size=5, max_size=5),
)
def test_whatever_the_target_and_the_seed_joints_are_finite_and_in_their_limits(
    target: list[float], seed: list[float]
) -> None:
    kinematics = kinematics_of(ARMS[0])
    reference, start = kinematics.reference(SEED), np.array([*seed, SEED[GRIPPER]])
    for solution in (
        kinematics.step(np.array(target), start, reference),
        kinematics.inverse(kinematics.pose_at(np.array(target), reference), start),
    ):
        check_limits(kinematics, solution)
        missed_m = float(np.linalg.norm(kinematics.position(solution.joints_deg) - target))
        assert missed_m == pytest.approx(solution.position_error_m, abs=1e-9)


def test_position_comes_before_direction() -> None:
    kinematics = kinematics_of(ARMS[0])
    high = kinematics.inverse(
        kinematics.pose_at(np.array([0.24, 0.0, 0.16]), kinematics.reference(SEED)), SEED
    )
    assert high.converged and high.position_error_m < 1e-6
    assert high.direction_error_rad > 0.2  # pointing straight down is out of reach up there


def test_a_target_that_is_no_number_moves_nothing() -> None:
    kinematics = kinematics_of(ARMS[0])
    for solution in (
        kinematics.step(np.full(3, np.nan), SEED, kinematics.reference(SEED)),
        kinematics.inverse(Pose(np.full(3, np.nan), np.eye(3)), SEED),
    ):
        assert not solution.converged
        assert np.isfinite(solution.joints_deg).all()
