"""[env.robot]: which arm, and the limits its safety gate keeps on every path."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Above0, Section


class RobotConfig(Section, frozen=True, kw_only=True):
    type: Literal["so101_sim"]
    """Kind of arm: `so101_sim` is the simulated SO-101 with its pick-and-lift table."""
    loop_hz: Annotated[float, msgspec.Meta(ge=20.0, le=500.0)] = 50.0
    """Rate in Hz at which the robot worker interpolates, checks and sends joint goals."""
    speed_limit_deg_s: Annotated[float, msgspec.Meta(gt=0.0, le=360.0)] = 50.0
    """Highest speed of a joint goal in degrees per second."""
    acceleration_limit_deg_s2: Above0 = 500.0
    """Highest change of that speed in degrees per second squared."""
    gripper_speed_pct_s: Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)] = 200.0
    """Highest speed of the gripper goal in percent of its opening per second."""
    max_lead_deg: Annotated[float, msgspec.Meta(gt=0.0, le=45.0)] = 3.5
    """How far, in degrees, a joint goal may run ahead of the measured joint: bounds travel after a crash."""
    joint_margin_deg: Annotated[float, msgspec.Meta(ge=0.0, le=30.0)] = 5.7
    """Distance in degrees that goals keep from each joint's mechanical limits."""
