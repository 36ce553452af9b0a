"""Safety gate: the only writer of joint goals.

Every goal, whoever asks for it, passes the same checks in the same order: finite, joint limits, rate and
acceleration, end-effector box, lead over the measured position, and the box again where the lead changed the
goal. A check narrows the goal or holds the arm; none raises. Units: degrees (gripper: percent), seconds, metres.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from workers.robot.figures import GRIPPER, SO101_RANGE, Floats, JointRange

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


@dataclass(frozen=True, slots=True)
class EndEffectorBox:
    """Workspace bounds of the tool point, metres in the base frame."""

    min_m: Floats  # [3]
    max_m: Floats  # [3]

    def outside_m(self, position_m: Floats) -> float:
        """Distance to the box, 0 inside."""
        excess = np.maximum(np.maximum(self.min_m - position_m, position_m - self.max_m), 0.0)
        return float(np.sqrt(excess @ excess))


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

    def by_joint(self) -> Iterator[tuple[float, float, float, float]]:
        """Of each joint the lower and upper limit, speed and acceleration."""
        return zip(
            self.lower_deg.tolist(),
            self.upper_deg.tolist(),
            self.speed_deg_s.tolist(),
            self.acceleration_deg_s2.tolist(),
            strict=True,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be sent to the servos now."""

    goal_deg: Floats  # [6]
    velocity_deg_s: Floats  # [6] of the goal; hand it to the next call
    clipped: frozenset[Limit]


def admit(
    request_deg: Floats,
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
    request, start, measured = request_deg.tolist(), goal_deg.tolist(), measured_deg.tolist()
    if not all(map(math.isfinite, request)):
        clipped.add(Limit.FINITE)
        request = start
    if not all(map(math.isfinite, measured)):
        clipped.add(Limit.FINITE)
        request, measured, measured_deg = start, start, goal_deg
    velocity = goal_velocity_deg_s.tolist()
    reached = []
    for joint, (lower, upper, speed, acceleration) in enumerate(limits.by_joint()):
        allowed = min(max(request[joint], lower), upper)
        if allowed != request[joint]:
            clipped.add(Limit.JOINT)
        way = allowed - start[joint]
        travel = _travel(way, velocity[joint], speed, acceleration, dt_s)
        if joint != GRIPPER and _is_held_back(way, travel, speed * dt_s):
            clipped.add(Limit.RATE)
        reached.append(start[joint] + travel)
    goal = np.array(reached)
    if limits.box is not None and reached != start:
        goal, left_box = _kept_in_box(goal, goal_deg, limits.box, tool)
        if left_box:
            clipped.add(Limit.BOX)
            reached = goal.tolist()
    leads = zip(reached, measured, limits.lead_deg.tolist(), strict=True)
    led = [min(max(to, here - lead), here + lead) for to, here, lead in leads]
    if led != reached:
        clipped.add(Limit.LEAD)
        goal = np.array(led)
        if limits.box is not None:
            # Cutting each joint by itself bends the way of the tool: shorten the whole vector from where the arm is.
            goal, left_box = _kept_in_box(goal, measured_deg, limits.box, tool)
            if left_box:
                clipped.add(Limit.BOX)
    return Verdict(goal, (goal - goal_deg) / dt_s, frozenset(clipped))


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
    goal: Floats, origin: Floats, box: EndEffectorBox, tool: ToolPosition
) -> tuple[Floats, bool]:
    """The furthest point from `origin` towards `goal` whose tool is no further outside the box than at `origin`."""
    outside_m = box.outside_m(tool.position(goal))
    if outside_m <= _BOX_SLACK_M:
        return goal, False
    allowed_m = max(box.outside_m(tool.position(origin)), _BOX_SLACK_M)
    if outside_m <= allowed_m:
        return goal, False
    reached, beyond = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (reached + beyond)
        if box.outside_m(tool.position(origin + middle * (goal - origin))) <= allowed_m:
            reached = middle
        else:
            beyond = middle
    kept = origin + reached * (goal - origin)
    kept[GRIPPER] = goal[GRIPPER]  # the jaw does not move the tool point
    return kept, True
