"""[env.robot]: which arm, its cameras, and the limits its safety gate keeps on every path."""

from typing import Annotated, Literal

import msgspec

from workers.config.cameras import CameraConfig, CameraName
from workers.config.safety import SafetyConfig
from workers.config.values import Above0, Problems, Section

Motor = Literal["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
Lead = Annotated[float, msgspec.Meta(gt=0.0, le=45.0)]
Angle = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
_NARROWEST = 1.0  # degrees, percent: less is a joint that cannot move


class RobotConfig(Section, frozen=True, kw_only=True):
    type: Literal["so101_sim"]
    """Kind of arm: `so101_sim` is the simulated SO-101 at its table."""
    cameras: Annotated[dict[CameraName, CameraConfig], msgspec.Meta(min_length=1)]
    """The cameras, one table each."""
    loop_hz: Annotated[float, msgspec.Meta(ge=20.0, le=500.0)] = 50.0
    """Rate in Hz at which the robot worker interpolates, checks and sends joint goals."""
    speed_limit_deg_s: Annotated[float, msgspec.Meta(gt=0.0, le=360.0)] = 50.0
    """Highest speed of a joint goal in degrees per second."""
    acceleration_limit_deg_s2: Above0 = 500.0
    """Highest change of that speed in degrees per second squared."""
    gripper_speed_pct_s: Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)] = 200.0
    """Highest speed of the gripper goal in percent of its opening per second."""
    max_relative_target: Lead | dict[Motor, Lead] = 3.5
    """How far, in degrees, a joint goal may run ahead of the measured joint: bounds travel after a crash.
    One figure for the five arm joints, or a table by motor (gripper in percent, 20 unless given)."""
    joint_margin_deg: Annotated[float, msgspec.Meta(ge=0.0, le=30.0)] = 5.7
    """Distance in degrees that goals keep from each joint's mechanical limits."""
    joint_limits_deg: dict[Motor, tuple[Angle, Angle]] = msgspec.field(default_factory=dict)
    """Range that goals keep to, by motor: [least, greatest] in degrees (gripper in percent), inside the mechanical one.
    A motor that is not named has all of that; `hilserl-worker find-limits` writes what a task needs."""
    safety: SafetyConfig = SafetyConfig()
    """What is watched in the servos of a real arm, and how it parks."""

    def problems(self) -> Problems:
        for motor, (low, high) in self.joint_limits_deg.items():
            if motor == "gripper" and not (low >= 0.0 and high <= 100.0):
                yield ("joint_limits_deg", motor), f"[{low:g}, {high:g}]: percent open, 0 to 100"
            elif high - low < _NARROWEST:
                yield ("joint_limits_deg", motor), f"[{low:g}, {high:g}]: the first must be below the second"

    @property
    def lead_limits(self) -> tuple[float, ...]:
        """`max_relative_target` [6] in motor order: degrees, gripper in percent."""
        given = self.max_relative_target
        if isinstance(given, dict):
            return tuple(given.get(motor, _LEAD.get(motor, 3.5)) for motor in MOTORS)
        return (given,) * 5 + (_LEAD["gripper"],)


MOTORS: tuple[Motor, ...] = (
    "shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper",
)  # fmt: skip
_LEAD: dict[Motor, float] = {"gripper": 20.0}
