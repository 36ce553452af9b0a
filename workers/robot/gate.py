"""Safety gate: the only writer of joint goals.

Every goal, whoever asks for it, passes the same checks in the same order: finite, joint limits, rate and
acceleration, end-effector box, lead over the measured position, and the box again where the lead changed the
goal. A check narrows the goal or holds the arm; none raises. Units: degrees (gripper: percent), seconds, metres.
"""

from collections.abc import Sequence
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
    if not np.isfinite(request_deg).all():
        clipped.add(Limit.FINITE)
        request_deg = goal_deg
    if not np.isfinite(measured_deg).all():
        clipped.add(Limit.FINITE)
        request_deg = measured_deg = goal_deg
    allowed = np.minimum(np.maximum(request_deg, limits.lower_deg), limits.upper_deg)
    if (allowed != request_deg).any():
        clipped.add(Limit.JOINT)
    way = allowed - goal_deg
    travel = _travel(way, goal_velocity_deg_s, limits, dt_s)
    if _is_held_back(way, travel, limits.speed_deg_s * dt_s):
        clipped.add(Limit.RATE)
    goal = goal_deg + travel
    if limits.box is not None and (goal != goal_deg).any():
        goal, left_box = _kept_in_box(goal, goal_deg, limits.box, tool)
        if left_box:
            clipped.add(Limit.BOX)
    led = np.minimum(np.maximum(goal, measured_deg - limits.lead_deg), measured_deg + limits.lead_deg)
    if (led != goal).any():
        clipped.add(Limit.LEAD)
        goal = led
        if limits.box is not None:
            # Cutting each joint by itself bends the way of the tool: shorten the whole vector from where the arm is.
            goal, left_box = _kept_in_box(led, measured_deg, limits.box, tool)
            if left_box:
                clipped.add(Limit.BOX)
    return Verdict(goal, (goal - goal_deg) / dt_s, frozenset(clipped))


def _travel(way_deg: Floats, velocity_deg_s: Floats, limits: Limits, dt_s: float) -> Floats:
    """Travel [6] of this tick towards a point `way_deg` away, from the present goal velocity.

    A goal at speed v that loses a dt per tick needs v^2 / 2a + v dt / 2 to stop; solving for v gives the
    braking speed.
    """
    direction, distance = np.sign(way_deg), np.abs(way_deg)
    gain = limits.acceleration_deg_s2 * dt_s
    braking = np.sqrt(0.25 * gain * gain + 2.0 * limits.acceleration_deg_s2 * distance) - 0.5 * gain
    speed = np.minimum(
        np.minimum(braking, limits.speed_deg_s), np.maximum(velocity_deg_s * direction, 0.0) + gain
    )
    travel: Floats = direction * np.minimum(speed * dt_s, distance)
    return travel


def _is_held_back(way_deg: Floats, travel_deg: Floats, most_deg: Floats) -> bool:
    """Whether an arm joint travels the most it may in a tick, and its request is further away than that."""
    held = (np.abs(way_deg) > most_deg + _ROUNDING) & (np.abs(travel_deg) > most_deg - _ROUNDING)
    return bool(held[:GRIPPER].any())


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
