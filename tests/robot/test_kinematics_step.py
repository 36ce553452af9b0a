"""Promises of the control step: small target steps give small, smooth joint steps, and the tool keeps its direction."""

from collections.abc import Iterator

import numpy as np
import pytest

from workers.robot.arm_model import builtin_model
from workers.robot.arms import ARMS, Arm
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics, Reference

MOST_DEG = 3.0
STEP_M = 1e-3
# A joint turns back where the exact way asks for it, at the end of its range for one; twice within 10 mm is a flip.
FLIP_DEG, FLIP_STEPS = 0.1, 10
BOX_M = np.array([0.16, -0.14, 0.01]), np.array([0.32, 0.14, 0.18])
POSES_DEG = {
    "down": (0.0, 0.0, 0.0, 90.0, 0.0, 30.0),
    "pitched": (0.0, -20.0, 40.0, 40.0, 0.0, 30.0),
    "pitched and rolled": (0.0, -20.0, 40.0, 40.0, 60.0, 30.0),
    "to the side": (40.0, -20.0, 40.0, 50.0, 30.0, 30.0),
}
both_arms = pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)


def lines(rng: np.random.Generator, count: int) -> Iterator[Floats]:
    """Points [N, 3] every millimetre between two random points of the box."""
    for start, end in rng.uniform(*BOX_M, (count, 2, 3)):
        steps = int(np.linalg.norm(end - start) / STEP_M) + 2
        yield start + (end - start) * np.linspace(0.0, 1.0, steps)[:, None]


def circles(rng: np.random.Generator, count: int) -> Iterator[Floats]:
    """Points [N, 3] every millimetre on circles of 2 to 6 cm, in any plane, within the box."""
    for _ in range(count):
        radius = rng.uniform(0.02, 0.06)
        centre = rng.uniform(BOX_M[0] + radius, BOX_M[1] - radius)
        plane = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        angle = np.linspace(0.0, 2.0 * np.pi, int(2.0 * np.pi * radius / STEP_M) + 2)[:, None]
        yield centre + radius * (np.cos(angle) * plane[0] + np.sin(angle) * plane[1])


def followed(kinematics: Kinematics, path: Floats, seed: Floats, reference: Reference) -> Floats:
    """Arm joints [N, 5] along the path; as the arm does, a target out of reach is not insisted on."""
    joints = kinematics.inverse(kinematics.pose_at(path[0], reference), seed).joints_deg
    taken = [joints]
    for target in path[1:]:
        behind_m = target - kinematics.position(joints)
        distance_m = float(np.linalg.norm(behind_m))
        target = target - behind_m * max(0.0, 1.0 - STEP_M / distance_m)
        joints = kinematics.step(target, joints, reference).joints_deg
        taken.append(joints)
    return np.array(taken)[:, :GRIPPER]


def flips(steps: Floats, size_deg: float = FLIP_DEG) -> int:
    """How often a joint turns back twice within a few steps, more than `size_deg` this way and that."""
    turned = (steps[1:] * steps[:-1] < 0.0) & (np.minimum(abs(steps[1:]), abs(steps[:-1])) > size_deg)
    return sum(int((np.diff(np.flatnonzero(joint)) < FLIP_STEPS).sum()) for joint in turned.T)


@both_arms
@pytest.mark.parametrize("pose", POSES_DEG)
def test_millimetre_steps_on_lines_and_circles_are_small_and_smooth_in_every_joint(
    arm: Arm, pose: str
) -> None:
    kinematics, seed = Kinematics(1.0, model=builtin_model(arm)), np.array(POSES_DEG[pose])
    reference, rng = kinematics.reference(seed), np.random.default_rng(5)
    for path in [*lines(rng, 5), *circles(rng, 3)]:
        joints = followed(kinematics, path, seed, reference)
        steps = np.diff(joints, axis=0)
        assert np.abs(steps).max() <= MOST_DEG
        assert flips(steps) == 0
        ends = np.array([kinematics.position(np.array([*joints[i], 0.0])) for i in (0, -1)])
        assert ends == pytest.approx(path[[0, -1]], abs=1e-4)


@both_arms
def test_out_of_the_workspace_and_back_the_arm_neither_jumps_nor_gets_lost(arm: Arm) -> None:
    kinematics, seed = Kinematics(1.0, model=builtin_model(arm)), np.array(POSES_DEG["pitched"])
    reference, start = kinematics.reference(seed), kinematics.position(seed)
    for far in ([0.55, 0.0, 0.1], [0.2, 0.45, 0.1], [-0.2, 0.05, 0.3]):
        steps = int(np.linalg.norm(far - start) / STEP_M) + 2
        out = start + (far - start) * np.linspace(0.0, 1.0, steps)[:, None]
        joints = followed(kinematics, np.concatenate([out, out[::-1], [start] * 200]), seed, reference)
        assert np.abs(np.diff(joints, axis=0)).max() <= MOST_DEG
        assert flips(np.diff(joints, axis=0), size_deg=0.5) == 0
        assert kinematics.position(np.array([*joints[-1], 0.0])) == pytest.approx(start, abs=1e-3)


@both_arms
def test_a_tool_that_points_down_keeps_its_heading_in_the_world(arm: Arm) -> None:
    kinematics, seed = Kinematics(1.0, model=builtin_model(arm)), np.array(POSES_DEG["down"])
    reference = kinematics.reference(seed)
    rotation = reference.pose.rotation
    for target in ([0.22, 0.08, 0.03], [0.2, -0.1, 0.05], [0.25, 0.05, 0.02]):
        wanted = kinematics.pose_at(np.array(target), reference)
        assert wanted.rotation == pytest.approx(rotation, abs=1e-9)
        solution = kinematics.inverse(wanted, seed)
        assert solution.converged
        assert np.abs(kinematics.forward(solution.joints_deg).rotation - rotation).max() < 0.03


@both_arms
def test_a_pitched_tool_keeps_its_pitch_and_turns_with_the_arm(arm: Arm) -> None:
    kinematics, seed = Kinematics(1.0, model=builtin_model(arm)), np.array(POSES_DEG["pitched"])
    reference = kinematics.reference(seed)
    axis_z = kinematics.forward(seed).rotation[2, 2]
    for pan in (-60.0, 25.0, 70.0):
        swung = kinematics.forward(seed + np.array([pan, 0.0, 0.0, 0.0, 0.0, 0.0]))
        wanted = kinematics.pose_at(swung.position_m, reference)
        assert wanted.rotation[2, 2] == pytest.approx(axis_z)
        assert wanted.rotation[:, 2] == pytest.approx(swung.rotation[:, 2], abs=1e-9)
        solution = kinematics.inverse(wanted, seed)
        assert solution.direction_error_rad < np.deg2rad(1.0)


def test_one_step_never_goes_further_than_it_may_however_far_the_target() -> None:
    kinematics, seed = Kinematics(), np.array(POSES_DEG["pitched"])
    reference = kinematics.reference(seed)
    for target in ([0.4, 0.3, 0.4], [-0.3, 0.0, 0.2], [0.0, -0.4, 0.1]):
        solution = kinematics.step(np.array(target), seed, reference)
        assert not solution.converged
        assert np.linalg.norm(kinematics.position(solution.joints_deg) - kinematics.position(seed)) < 0.06


def test_standing_still_stands_still() -> None:
    kinematics, seed = Kinematics(), np.array(POSES_DEG["pitched and rolled"])
    solution = kinematics.step(kinematics.position(seed), seed, kinematics.reference(seed))
    assert solution.joints_deg == pytest.approx(seed, abs=1e-6)
    assert solution.converged
