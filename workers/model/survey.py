"""Survey: the arm is driven through the space that a task needs, and what it reached becomes the workspace.

One frozen value says how far that has come; the station sends it a few times a second.
"""

from enum import StrEnum

import msgspec

Vector3 = tuple[float, float, float]
Joints = tuple[float, float, float, float, float, float]


class Stage(StrEnum):
    WAITING = "waiting"  # nobody has moved the arm yet
    WARM_UP = "warm-up"  # nothing counts yet
    COUNTING = "counting"
    DONE = "done"  # what was seen stands; it can be written, or counted on
    WRITTEN = "written"


class Span(msgspec.Struct, frozen=True):
    """The least and the greatest value seen of one axis or joint."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


class Survey(msgspec.Struct, frozen=True):
    """What the person sees of a survey. Metres in the base frame, degrees (gripper: percent), seconds."""

    stage: Stage
    left_s: float | None  # of the warm-up or the counting; None: until the person says so
    counted_s: float
    joints_deg: Joints  # now
    axes: tuple[Span, Span, Span] | None  # x, y, z of the tool; None before anything counted
    joints: tuple[Span, ...]  # in motor order; empty before anything counted
    joints_reach: tuple[Span, ...]  # how far each may go at all
    box_min_m: Vector3  # what would be written: with the margin, never below the floor
    box_max_m: Vector3
    margin_m: float
    floor_m: float
    reset_m: Vector3  # where the reset pose has the tool
    present: tuple[Vector3, Vector3] | None  # end_effector_bounds of the file
    faces_min_m: Vector3 = (0.0, 0.0, 0.0)  # how far a person moved each face outwards, beyond the margin
    faces_max_m: Vector3 = (0.0, 0.0, 0.0)
    problems: tuple[str, ...] = ()  # what keeps the box from being written
    lines: tuple[str, ...] = ()  # LeRobot's four lines; once done
    difference: tuple[str, ...] = ()  # of the file, as it is and as it would be; once done
    written: str = ""  # where the file is as it was before
