"""Two arms in one pose: joints that say something else are named, with the arm whose calibration is to blame."""

from dataclasses import replace

import numpy as np
import pytest

from workers.robot.calibration import Calibration, MotorCalibration
from workers.robot.compare import LOOKS, Comparison
from workers.robot.figures import GRIPPER, Floats

POSE = np.array([-100.0, -90.0, 80.0, 70.0, -60.0, 0.0])  # what a pose truly is, degrees and percent
ELBOW, ROLL = 2, 4


def arm(middle: int, **of_elbow: int) -> Calibration:
    motors = [MotorCalibration(i + 1, 0, 0, middle - 1200, middle + 1200) for i in range(6)]
    motors[ELBOW] = replace(motors[ELBOW], **of_elbow)
    return Calibration(tuple(motors))


def counts_of(middle: int, pose: Floats = POSE) -> Floats:
    """What the encoders of an arm say whose joints stand at `pose`."""
    counts = middle + pose * 4095.0 / 360.0
    counts[GRIPPER] = middle - 1200 + 24.0 * pose[GRIPPER]
    return counts


def compared(follower: Calibration, leader: Calibration, leader_pose: Floats = POSE) -> Comparison:
    comparison = Comparison(follower, leader)
    for _ in range(LOOKS):
        comparison.see(counts_of(2000), counts_of(2100, leader_pose))
    return comparison


def test_arms_that_were_calibrated_alike_are_alike() -> None:
    comparison = compared(arm(2000), arm(2100))
    assert comparison.moving() == "" and comparison.problems() == [] and comparison.unproven() == []
    assert all(row.alike and row.apart < 0.1 for row in comparison.rows())


@pytest.mark.parametrize(("apart_deg", "named"), [(1.8, 0), (2.2, 1)])
def test_two_degrees_are_the_limit(apart_deg: float, named: int) -> None:
    leader_pose = POSE.copy()
    leader_pose[ELBOW] += apart_deg
    problems = compared(arm(2000), arm(2100), leader_pose).problems()
    assert len(problems) == named
    assert all(
        text.startswith("elbow_flex: the follower says 80.0°, the leader 82.2°, 2.2°") for text in problems
    )


@pytest.mark.parametrize("who", ["follower", "leader"])
def test_the_arm_whose_sweep_missed_a_stop_is_named(who: str) -> None:
    """40 degrees of travel that were not seen put the middle 20 degrees aside."""
    arms = {"follower": arm(2000), "leader": arm(2100)}
    middle = 2000 if who == "follower" else 2100
    arms[who] = arm(middle, range_max=middle + 1200 - 455)
    (text,) = compared(**arms).problems()
    assert "20.0° apart" in text and f"The {who}'s calibration is the likely cause" in text
    assert "travel of 171°" in text and "211°" in text


def test_a_joint_that_runs_the_other_way_round_is_said_to() -> None:
    leader_pose = POSE.copy()
    leader_pose[ROLL] *= -1
    (text,) = compared(arm(2000), arm(2100), leader_pose).problems()
    assert text.startswith("wrist_roll") and "other way round" in text


def test_a_joint_that_was_never_swept_is_said_to_be() -> None:
    leader = arm(2100, range_min=0, range_max=4095)
    (text,) = compared(arm(2000), leader).problems()
    assert "The leader's was not swept" in text


def test_arms_that_move_are_not_judged() -> None:
    comparison = Comparison(arm(2000), arm(2100))
    comparison.see(counts_of(2000), counts_of(2100))
    assert "still being read" in comparison.moving()
    for look in range(LOOKS):
        pose = POSE.copy()
        pose[ELBOW] += 0.2 * look
        comparison.see(counts_of(2000), counts_of(2100, pose))
    assert comparison.moving() == "hold both arms still: leader's elbow_flex moved"


def test_a_joint_in_its_middle_proves_nothing_about_its_direction() -> None:
    comparison, pose = Comparison(arm(2000), arm(2100)), POSE.copy()
    pose[0] = 1.0
    for _ in range(LOOKS):
        comparison.see(counts_of(2000, pose), counts_of(2100, pose))
    assert comparison.problems() == [] and comparison.unproven() == ["shoulder_pan"]
