"""Surveying: from the first motion of an arm to the bounds of its workspace. Pure: time, positions and wishes in.

waiting -> warm-up -> counting -> done -> written
                         ^---------'  go on, start over
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from workers.config import BoundsConfig, Config, Document
from workers.config.lines import KeyPath
from workers.config.processor import SMALLEST_BOX_M
from workers.config.survey import BOUNDS, FLOOR_M, reach
from workers.model.survey import Joints, Span, Stage, Survey, Vector3
from workers.robot.build import limits_of
from workers.robot.gate import EndEffectorBox
from workers.robot.kinematics import Kinematics
from workers.robot.workspace import DIGITS, Extent, joint_limits, problems, tutorial_lines

JOINT_LIMITS: KeyPath = ("env", "robot", "joint_limits_deg")
WARM_UP_S, DURATION_S = 5.0, 30.0
"""As LeRobot has them; a person at the console ends it with a key."""
MOST_MARGIN_M = 0.1


class Ending(StrEnum):
    """What becomes of the result."""

    ASK = "ask"  # a person at a console looks at it first
    WRITE = "write"
    PRINT = "print"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a survey is to go. Seconds, metres."""

    warm_up_s: float = WARM_UP_S
    duration_s: float = 0.0  # of the counting; 0: until the person says so
    margin_m: float = 0.0
    floor_m: float = FLOOR_M
    ending: Ending = Ending.ASK


@dataclass(frozen=True, slots=True)
class SurveyJob:
    """A survey and the file that it is for."""

    wanted: Wanted
    document: Document


class Place(NamedTuple):
    """Where the arm is."""

    ee_m: Vector3
    joints_deg: Joints


class Surveying:
    """One survey.

    Args:
        config: of the survey; its reset pose and joint margin.
        present: the bounds in the file now; `reach()` where it has none.
    """

    def __init__(self, wanted: Wanted, config: Config, present: BoundsConfig, kinematics: Kinematics) -> None:
        self._wanted, self._present, self._kinematics = wanted, present, kinematics
        self._reset_deg = np.array(config.env.reset_pose)
        self._reset_m = kinematics.position(self._reset_deg)
        limits = limits_of(config)
        self._reach = _spans(limits.lower_deg, limits.upper_deg)
        self._joint_margin_deg = config.env.arm.joint_margin_deg
        self._margin_m = wanted.margin_m
        self._faces_m = np.zeros((2, 3))  # outwards, of the least and the greatest of each axis
        self._extent = Extent()
        self._place = Place((0.0, 0.0, 0.0), (0.0,) * 6)
        self._warmed_s = self._counted_s = 0.0
        self._duration_s = wanted.duration_s
        self.stage = Stage.WAITING

    def pass_time(self, seconds: float, place: Place | None, driven: bool) -> None:
        """The arm is at `place` (None: unknown) after so many seconds in which somebody drove it, or nobody did."""
        if place is not None:
            self._place = place
        if self.stage is Stage.WAITING and driven:
            self.stage = Stage.WARM_UP
        if self.stage is Stage.WARM_UP:
            self._warmed_s += seconds * driven
            if self._warmed_s >= self._wanted.warm_up_s:
                self.stage = Stage.COUNTING
        elif self.stage is Stage.COUNTING:
            self._counted_s += seconds * driven
            if place is not None:
                self._extent.note(np.array(place.ee_m), np.array(place.joints_deg))
            if self._duration_s and self._counted_s >= self._duration_s:
                self.done()

    def done(self) -> None:
        """What was seen is enough."""
        if self.stage in (Stage.WAITING, Stage.WARM_UP, Stage.COUNTING):
            self.stage = Stage.DONE

    def go_on(self) -> None:
        """It was not: count on, until the person says so."""
        if self.stage is Stage.DONE:
            self.stage, self._duration_s = Stage.COUNTING, 0.0

    def start_over(self) -> None:
        """Forget what was seen and count anew, for the whole duration."""
        if self.stage is not Stage.WRITTEN:
            counted = self.stage in (Stage.COUNTING, Stage.DONE)
            self._extent, self._counted_s, self._duration_s = Extent(), 0.0, self._wanted.duration_s
            self._faces_m = np.zeros((2, 3))
            self.stage = Stage.COUNTING if counted else self.stage

    def set_margin(self, margin_m: float) -> None:
        self._margin_m = round(min(MOST_MARGIN_M, max(0.0, margin_m)), 3)

    def move_face(self, axis: int, end: int, outwards_m: float) -> None:
        """Move a face of the box that was found (`end` -1: the least); never past the floor or the other face."""
        if not self._extent.samples or self.stage is Stage.WRITTEN:
            return
        before = self._faces_m.copy()
        moved = self._faces_m[int(end > 0), axis] + outwards_m
        self._faces_m[int(end > 0), axis] = round(min(MOST_MARGIN_M, max(-MOST_MARGIN_M, moved)), 4)
        box = self._box()
        if box.max_m[axis] - box.min_m[axis] < SMALLEST_BOX_M:
            self._faces_m = before

    def written(self) -> None:
        """The file has it."""
        self.stage = Stage.WRITTEN

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the result cannot be written."""
        return tuple(problems(self._extent, self._box(), self._reset_m))

    def values(self) -> dict[KeyPath, Any]:
        """What is written: the keys of the configuration and their values. Call it without problems."""
        box = self._box()
        limits = joint_limits(self._extent, box, self._reset_deg, self._kinematics, self._joint_margin_deg)
        return {
            (*BOUNDS, "min"): box.min_m.tolist(),
            (*BOUNDS, "max"): box.max_m.tolist(),
            **{(*JOINT_LIMITS, motor): limit for motor, limit in limits.items()},
        }

    def lines(self) -> tuple[str, ...]:
        """LeRobot's four lines, with headings; none before anything counted."""
        return tutorial_lines(self._extent, self._box()) if self._extent.samples else ()

    def seen(self) -> Survey:
        """How it stands, without what takes longer to know."""
        extent, box, counted = self._extent, self._box(), self._extent.samples > 0
        x, y, z = _spans(extent.ee_min_m, extent.ee_max_m)
        return Survey(
            stage=self.stage,
            left_s=self._left_s(),
            counted_s=round(self._counted_s, 2),
            joints_deg=self._place.joints_deg,
            axes=(x, y, z) if counted else None,
            joints=_spans(extent.joints_min_deg, extent.joints_max_deg) if counted else (),
            joints_reach=self._reach,
            box_min_m=_vector(box.min_m) if counted else (0.0, 0.0, 0.0),
            box_max_m=_vector(box.max_m) if counted else (0.0, 0.0, 0.0),
            margin_m=self._margin_m,
            floor_m=self._wanted.floor_m,
            reset_m=_vector(self._reset_m),
            faces_min_m=_vector(self._faces_m[0]),
            faces_max_m=_vector(self._faces_m[1]),
            present=None if self._present == reach() else (self._present.min, self._present.max),
            problems=self.problems if self.stage is not Stage.WAITING else (),
        )

    def _left_s(self) -> float | None:
        if self.stage is Stage.WARM_UP or (self.stage is Stage.WAITING and self._wanted.warm_up_s):
            return round(max(0.0, self._wanted.warm_up_s - self._warmed_s), 1)
        if self.stage is Stage.COUNTING and self._duration_s:
            return round(max(0.0, self._duration_s - self._counted_s), 1)
        return None

    def _box(self) -> EndEffectorBox:
        box = self._extent.box(self._margin_m, self._wanted.floor_m, self._reset_m)
        low, high = box.min_m - self._faces_m[0], box.max_m + self._faces_m[1]
        low[2] = max(low[2], self._wanted.floor_m)
        return EndEffectorBox(np.round(low, DIGITS), np.round(high, DIGITS))


def _vector(values: Any) -> Vector3:
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z


def _spans(least: Any, greatest: Any) -> tuple[Span, ...]:
    return tuple(
        Span(round(float(low), 4), round(float(high), 4)) for low, high in zip(least, greatest, strict=True)
    )
