"""Safety gate: the only writer of joint goals.

Every goal, whoever asks for it, passes the same checks in the same order: finite, joint limits, rate and
acceleration, end-effector box, lead over the measured position, and the box again where the lead changed the
goal. A check narrows the goal or holds the arm; none raises. Units: degrees (gripper: percent), seconds, metres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from workers.robot.figures import GRIPPER, SO101_RANGE, Floats, JointRange, Point

_BISECTIONS = 12  # halvings on the way back into the box: 1/4096 of a tick's travel
_BOX_SLACK_M = 1e-6
_ROUNDING = 1e-9  # degrees


class Limit(StrEnum):
    """What narrowed a request, for the operator."""

    FINITE = "finite"
    JOINT = "joint"
    BOX = "box"
    RATE = "rate"  # the arm goes as fast as it may and is still behind; the jaw does so whenever it opens or closes
    LEAD = "lead"


class ToolPosition(Protocol):
    """Forward kinematics: joint vector [6] -> tool position [3] in metres."""

    def position(self, joints_deg: Floats) -> Floats: ...

    def point(self, joints_deg: Sequence[float]) -> Point:
        """The same in plain numbers."""
        ...


@dataclass(frozen=True, slots=True)
class EndEffectorBox:
    """Workspace bounds of the tool point, metres in the base frame."""

    min_m: Floats  # [3]
    max_m: Floats  # [3]
    _spans_m: tuple[tuple[float, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spans = zip(self.min_m.tolist(), self.max_m.tolist(), strict=True)
        object.__setattr__(self, "_spans_m", tuple(spans))

    def outside_m(self, position_m: Sequence[float] | Floats) -> float:
        """Distance to the box, 0 inside."""
        excess = 0.0
        for at, (low, high) in zip(position_m, self._spans_m, strict=True):
            if not low <= at <= high:
                excess += float(max(low - at, at - high)) ** 2
        return math.sqrt(excess)


def _per_joint(arm: float, gripper: float) -> Floats:
    return np.array([arm] * GRIPPER + [gripper])


@dataclass(frozen=True, slots=True)
class Limits:
    """What a goal may be. Vectors are [6]: five joints in degrees, the gripper in percent."""

    lower_deg: Floats = field(default_factory=SO101_RANGE.lower_deg.copy)
    upper_deg: Floats = field(default_factory=SO101_RANGE.upper_deg.copy)
    speed_deg_s: Floats = field(default_factory=lambda: _per_joint(50.0, 200.0))
    acceleration_deg_s2: Floats = field(default_factory=lambda: _per_joint(500.0, 4000.0))
    lead_deg: Floats = field(default_factory=lambda: _per_joint(3.5, 20.0))
    box: EndEffectorBox | None = None
    joints: tuple[tuple[float, ...], ...] = field(init=False, repr=False, compare=False)
    """The vectors, joint by joint."""

    def __post_init__(self) -> None:
        vectors = self.lower_deg, self.upper_deg, self.speed_deg_s, self.acceleration_deg_s2, self.lead_deg
        joints = zip(*(vector.tolist() for vector in vectors), strict=True)
        object.__setattr__(self, "joints", tuple(joints))

    @classmethod
    def of(
        cls,
        margin_deg: float,
        speed_limit_deg_s: float,
        acceleration_limit_deg_s2: float,
        lead_limits_deg: Sequence[float],
        box: EndEffectorBox | None,
        gripper_speed_pct_s: float = 200.0,
        joints: JointRange = SO101_RANGE,
    ) -> "Limits":
        """Limits from one figure for all five arm joints (the lead: [6]).

        The margin keeps them off the mechanical stops, which are those of `joints`.
        """
        margin = _per_joint(margin_deg, 0.0)
        return cls(
            joints.lower_deg + margin,
            joints.upper_deg - margin,
            _per_joint(speed_limit_deg_s, gripper_speed_pct_s),
            _per_joint(acceleration_limit_deg_s2, gripper_speed_pct_s * 20.0),
            np.array(lead_limits_deg),
            box,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be sent to the servos now."""

    goal_deg: Floats  # [6]
    velocity_deg_s: Floats  # [6] of the goal; hand it to the next call
    clipped: frozenset[Limit]


def admit(
    request_deg: Sequence[float] | Floats,
    goal_deg: Floats,
    goal_velocity_deg_s: Floats,
    measured_deg: Floats,
    limits: Limits,
    tool: ToolPosition,
    dt_s: float,
) -> Verdict:
    """Narrow `request_deg` [6] to a goal that may follow `goal_deg` after `dt_s`.

    The goal is finite, lies between the previous goal and the joint limits, moves at most `speed * dt`, and
    its speed grows by at most `acceleration * dt`; it brakes so as to arrive at rest. Stopping is always
    allowed, however abrupt. It never leaves the box, and where the goal or the arm already is outside, it never
    goes further out. The lead check only ever pulls the goal towards the measured position.
    `goal_deg` must come from the gate or be measured.
    """
    clipped: set[Limit] = set()
    # Joint by joint: of six numbers at a time numpy costs more than it saves.
    request = [float(each) for each in request_deg]
    start, measured = goal_deg.tolist(), measured_deg.tolist()
    if not all(map(math.isfinite, request)):
        clipped.add(Limit.FINITE)
        request = start
    if not all(map(math.isfinite, measured)):
        clipped.add(Limit.FINITE)
        request = measured = start
    velocity, box = goal_velocity_deg_s.tolist(), limits.box
    goal = []
    for joint, (lower, upper, speed, acceleration, _) in enumerate(limits.joints):
        allowed = min(max(request[joint], lower), upper)
        if allowed != request[joint]:
            clipped.add(Limit.JOINT)
        way = allowed - start[joint]
        travel = _travel(way, velocity[joint], speed, acceleration, dt_s)
        if joint != GRIPPER and _is_held_back(way, travel, speed * dt_s):
            clipped.add(Limit.RATE)
        goal.append(start[joint] + travel)
    if box is not None and goal != start:
        goal, left_box = _kept_in_box(goal, start, box, tool)
        if left_box:
            clipped.add(Limit.BOX)
    bounded = zip(goal, measured, limits.joints, strict=True)
    led = [min(max(to, here - lead), here + lead) for to, here, (*_, lead) in bounded]
    if led != goal:
        clipped.add(Limit.LEAD)
        goal = led
        if box is not None:
            # Cutting each joint by itself bends the way of the tool: shorten the whole vector from where the arm is.
            goal, left_box = _kept_in_box(goal, measured, box, tool)
            if left_box:
                clipped.add(Limit.BOX)
    moved = [(to - was) / dt_s for to, was in zip(goal, start, strict=True)]
    return Verdict(np.array(goal), np.array(moved), frozenset(clipped))


def _travel(way: float, velocity: float, speed: float, acceleration: float, dt_s: float) -> float:
    """Travel of this tick towards a point that is `way` away, of a joint's goal that has this velocity.

    A goal at speed v that loses a dt per tick needs v^2 / 2a + v dt / 2 to stop; solving for v gives the
    braking speed.
    """
    distance, direction = abs(way), math.copysign(1.0, way)
    gain = acceleration * dt_s
    braking = math.sqrt(0.25 * gain * gain + 2.0 * acceleration * distance) - 0.5 * gain
    fastest = min(braking, speed, max(velocity * direction, 0.0) + gain)
    return direction * min(fastest * dt_s, distance)


def _is_held_back(way: float, travel: float, most: float) -> bool:
    """Whether a joint travels the most it may in a tick, and its request is further away than that."""
    return abs(way) > most + _ROUNDING and abs(travel) > most - _ROUNDING


def _kept_in_box(
    goal: list[float], origin: list[float], box: EndEffectorBox, tool: ToolPosition
) -> tuple[list[float], bool]:
    """The furthest point from `origin` towards `goal` whose tool is no further outside the box than at `origin`."""
    outside_m = box.outside_m(tool.point(goal))
    if outside_m <= _BOX_SLACK_M:
        return goal, False
    allowed_m = max(box.outside_m(tool.point(origin)), _BOX_SLACK_M)
    if outside_m <= allowed_m:
        return goal, False
    reached, beyond = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (reached + beyond)
        if box.outside_m(tool.point(_between(origin, goal, middle))) <= allowed_m:
            reached = middle
        else:
            beyond = middle
    kept = _between(origin, goal, reached)
    kept[GRIPPER] = goal[GRIPPER]  # the jaw does not move the tool point
    return kept, True


def _between(origin: list[float], goal: list[float], share: float) -> list[float]:
    return [a + share * (b - a) for a, b in zip(origin, goal, strict=True)]
