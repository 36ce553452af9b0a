"""Leader and follower in one pose: whether their calibrations say so. Pure: degrees in, words out.

Two arms of one build that stand alike must say the same angles, or a hand-over makes the follower go where the leader
only seems to be. One pose is enough: a count is as large on both arms, so that all of it is off by one angle, or the
other way round. Units: degrees; the gripper's percent.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from workers.robot.calibration import RESOLUTION, Calibration
from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats

ALIKE: Final = np.array([2.0] * GRIPPER + [5.0])  # a jaw and a trigger are closed alike, not built alike
STILL: Final = 0.6  # degrees, percent: a limp joint on its stop, and the encoder's last step
SHORT_DEG: Final = 3.0  # less travel than the other arm: one of its stops was not reached
MIDDLE_DEG: Final = 10.0  # so near the middle, a joint that runs the wrong way round would not show
LOOKS: Final = 10
WHOLE_TURN_DEG: Final = 355.0
FOLLOWER, LEADER = "follower", "leader"


@dataclass(frozen=True, slots=True)
class Row:
    """One joint of both arms now."""

    name: str
    follower: float
    leader: float
    apart: float
    alike: bool


class Comparison:
    """What two arms said of one pose, look by look."""

    def __init__(self, follower: Calibration, leader: Calibration) -> None:
        self._calibrations = {FOLLOWER: follower, LEADER: leader}
        self._looks: deque[tuple[Floats, Floats]] = deque(maxlen=LOOKS)

    def see(self, follower_counts: Floats, leader_counts: Floats) -> None:
        """Present positions [6] of both arms."""
        pairs = ((FOLLOWER, follower_counts), (LEADER, leader_counts))
        follower, leader = (self._calibrations[arm].public(counts) for arm, counts in pairs)
        self._looks.append((follower, leader))

    def rows(self) -> list[Row]:
        """The newest look."""
        if not self._looks:
            return []
        follower, leader = self._looks[-1]
        apart = np.abs(follower - leader)
        return [
            Row(name, float(follower[i]), float(leader[i]), float(apart[i]), bool(apart[i] <= ALIKE[i]))
            for i, name in enumerate(JOINT_NAMES)
        ]

    def moving(self) -> str:
        """Why nothing can be said yet, "" when both arms rest."""
        if len(self._looks) < LOOKS:
            return "both arms are still being read"
        moved = [
            f"{arm}'s {name}"
            for arm, looks in zip((FOLLOWER, LEADER), zip(*self._looks, strict=True), strict=True)
            for name, spread in zip(JOINT_NAMES, np.ptp(np.stack(looks), axis=0), strict=True)
            if spread > STILL
        ]
        return f"hold both arms still: {', '.join(moved)} moved" if moved else ""

    def problems(self) -> list[str]:
        """A line for every joint that is not alike: how far apart, and whose calibration it is; when both rest."""
        follower, leader = (np.median(np.stack(looks), axis=0) for looks in zip(*self._looks, strict=True))
        apart = np.abs(follower - leader)
        return [
            f"{JOINT_NAMES[i]}: the follower says {_figure(i, follower[i])}, the leader {_figure(i, leader[i])}, "
            f"{_figure(i, apart[i])} apart. {self._whose(i, follower[i], leader[i])}"
            for i in np.flatnonzero(apart > ALIKE).tolist()
        ]

    def unproven(self) -> list[str]:
        """Joints so near their middle that they might as well run the wrong way round."""
        follower, leader = self._looks[-1]
        near = np.maximum(np.abs(follower), np.abs(leader)) < MIDDLE_DEG
        near[GRIPPER] = False
        return [JOINT_NAMES[i] for i in np.flatnonzero(near).tolist()]

    def _whose(self, joint: int, follower: float, leader: float) -> str:
        """Which arm's calibration is the likely cause: the one whose sweep missed a stop."""
        if joint != GRIPPER and abs(follower + leader) <= ALIKE[joint]:
            return "One of them runs the other way round: is a servo built in turned?"
        if joint != GRIPPER and (
            turns := [arm for arm in self._calibrations if self._turns_whole(arm, joint)]
        ):
            return (
                f"The {' and the '.join(turns)}'s was not swept: its middle is where it stood then. Calibrate both the "
                "same way"
            )
        travels = {arm: _travel_deg(calibration, joint) for arm, calibration in self._calibrations.items()}
        shorter = min(travels, key=lambda arm: travels[arm])
        longer = LEADER if shorter == FOLLOWER else FOLLOWER
        if travels[longer] - travels[shorter] <= SHORT_DEG:
            return "Both travel as far, so one of them was put together a tooth off, or the poses are not the same"
        return (
            f"The {shorter}'s calibration is the likely cause: it has a travel of {travels[shorter]:.0f}°, the "
            f"{longer}'s {travels[longer]:.0f}°, so a stop was not reached"
        )

    def _turns_whole(self, arm: str, joint: int) -> bool:
        """LeRobot gives wrist_roll the whole turn."""
        return _travel_deg(self._calibrations[arm], joint) > WHOLE_TURN_DEG


def _travel_deg(calibration: Calibration, joint: int) -> float:
    motor = calibration.motors[joint]
    return (motor.range_max - motor.range_min) * 360.0 / RESOLUTION


def _figure(joint: int, value: float) -> str:
    return f"{value:.0f} %" if joint == GRIPPER else f"{value:.1f}°"
