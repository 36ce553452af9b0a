"""Calibration of an arm: first every joint is moved to both of its stops, then the offsets are chosen.

LeRobot asks for the middle pose first, sets the offset there, and then sweeps: a joint that was not near its middle
then runs past the encoder's end, and its range is wrong. Here the encoder is followed through its wrap, and the
offset puts the middle of the travel into the middle of the encoder. What comes out is LeRobot's calibration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from workers.robot.calibration import RESOLUTION, Calibration, MotorCalibration
from workers.robot.drivers.sts3215 import STEPS
from workers.robot.figures import JOINT_NAMES, Floats, JointRange

WRIST_ROLL: Final = JOINT_NAMES.index("wrist_roll")
MIDDLE: Final = RESOLUTION // 2
GREATEST_TRAVEL: Final = int(359 / 360 * STEPS)  # a joint that goes further has no place left for the wrap
GAP_S: Final = 0.3  # a hand moves a joint less than half a turn within that
LEAST_SHARE: Final = 0.6  # of the travel that such a joint has
_HALF: Final = STEPS // 2
_GREATEST_OFFSET: Final = STEPS // 2 - 1  # sign and 11 bits


@dataclass(frozen=True, slots=True)
class Row:
    """What the screen shows of a joint; counts of the encoder without any offset, which may lie beyond a turn."""

    name: str
    least: int
    here: int
    greatest: int
    travel_deg: float
    enough: bool
    lost: bool  # replies were missing while it moved: it has to be swept again


class Track:
    """One joint's encoder, followed through its wrap."""

    def __init__(self) -> None:
        self.least = self.here = self.greatest = self.start = 0
        self.lost = False
        self._seen_s = -np.inf

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self._seen_s))

    @property
    def travel(self) -> int:
        return self.greatest - self.least

    def see(self, actual: int, now_s: float) -> None:
        """The encoder says `actual`, 0 to 4095."""
        if not self.known:
            self.least = self.here = self.greatest = self.start = actual
        step = (actual - self.here + _HALF) % STEPS - _HALF
        if now_s - self._seen_s > GAP_S and abs(step) > STEPS // 64 and self.known:
            self.lost = True  # it moved while nobody looked: which way round is not known
        self.here += step
        self.least, self.greatest = min(self.least, self.here), max(self.greatest, self.here)
        self._seen_s = now_s

    def restart(self) -> None:
        """Forget the sweep, begin where it is."""
        self.here %= STEPS
        self.least = self.greatest = self.start = self.here
        self.lost = False


class Sweep:
    """Six joints moved by hand. Positions in, what to show and at last a calibration out; no clock, no bus."""

    def __init__(self, offsets: Mapping[int, int], least_counts: Floats) -> None:
        """`offsets`: what the servos take off now, by joint; `least_counts` [6]: travel below which it was no sweep."""
        self._offsets = dict(offsets)
        self._least_counts = least_counts
        self.tracks = tuple(Track() for _ in JOINT_NAMES)

    def see(self, positions: Mapping[int, int], now_s: float) -> None:
        """Present_Position by joint; joints that did not answer are missing."""
        for joint, position in positions.items():
            self.tracks[joint].see((position + self._offsets[joint]) % STEPS, now_s)

    def restart(self, joint: int) -> None:
        self.tracks[joint].restart()

    def rows(self) -> list[Row]:
        return [
            Row(
                name,
                track.least,
                track.here,
                track.greatest,
                track.travel * 360.0 / STEPS,
                self._is_enough(joint),
                track.lost,
            )
            for joint, (name, track) in enumerate(zip(JOINT_NAMES, self.tracks, strict=True))
        ]

    def problems(self) -> list[str]:
        """Why this is no calibration yet, a line for each joint; empty when it is one."""
        return [text for joint in range(len(JOINT_NAMES)) if (text := self._problem(joint))]

    def _is_enough(self, joint: int) -> bool:
        return self.tracks[joint].known and self.tracks[joint].travel >= self._least_counts[joint]

    def _problem(self, joint: int) -> str:
        track, name = self.tracks[joint], JOINT_NAMES[joint]
        moved_deg = track.travel * 360.0 / STEPS
        if not track.known:
            return f"{name} has not answered yet: check its cable"
        if track.lost:
            return f"{name} did not answer while it moved: its sweep begins anew, move it to both stops again"
        if not self._is_enough(joint):
            least_deg = self._least_counts[joint] * 360.0 / STEPS
            return f"{name} moved {moved_deg:.0f} degrees, at least {least_deg:.0f} are wanted: to both stops"
        if track.travel > GREATEST_TRAVEL and joint != WRIST_ROLL:
            return (
                f"{name} moved {moved_deg:.0f} degrees, more than it can between two stops: its horn may slip. "
                "Its sweep begins anew"
            )
        return ""

    def forget_faulty(self) -> None:
        """Begin anew with the joints whose sweep cannot be used; those that were moved too little go on."""
        for joint, track in enumerate(self.tracks):
            if track.known and (track.lost or (track.travel > GREATEST_TRAVEL and joint != WRIST_ROLL)):
                track.restart()

    def calibration(self) -> Calibration:
        """Offset and range of each joint. Raises ValueError while there are `problems`."""
        if problems := self.problems():
            raise ValueError("; ".join(problems))
        return Calibration(tuple(_chosen(joint, track) for joint, track in enumerate(self.tracks)))


def least_counts(joints: JointRange) -> Floats:
    """Travel [6] in counts that a sweep must have, of an arm that goes so far."""
    span: Floats = np.abs(joints.model(joints.upper_deg) - joints.model(joints.lower_deg))
    return LEAST_SHARE * span * STEPS / (2.0 * np.pi)


def offset_for(middle: int) -> int:
    """The homing offset [-2047, 2047] that puts the encoder's `middle` of a travel to 2047."""
    offset = (middle - MIDDLE + _HALF) % STEPS - _HALF
    return max(offset, -_GREATEST_OFFSET)  # -2048 does not fit: one count off the middle


def _chosen(joint: int, track: Track) -> MotorCalibration:
    if joint == WRIST_ROLL and track.travel > GREATEST_TRAVEL:
        # It turns round and round: as in LeRobot it has all of the turn, and its zero is where it began.
        return MotorCalibration(joint + 1, 0, offset_for(track.start), 0, RESOLUTION)
    offset = offset_for((track.least + track.greatest) // 2)
    least = (track.least - offset) % STEPS
    return MotorCalibration(joint + 1, 0, offset, least, least + track.travel)
