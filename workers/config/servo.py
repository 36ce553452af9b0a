"""[env.robot.servo]: settings of a real arm's servos."""

from typing import Annotated

import msgspec

from workers.config.values import Section

Gain = Annotated[int, msgspec.Meta(ge=0, le=254)]


class ServoConfig(Section, frozen=True, kw_only=True):
    p: Gain = 16
    """Position gain of the servos; LeRobot's is 16, Feetech's 32, which shakes."""
    i: Gain = 0
    """Integral gain."""
    d: Gain = 32
    """Differential gain."""
    torque_limit_pct: Annotated[float, msgspec.Meta(ge=10.0, le=100.0)] = 60.0
    """Most torque that a servo may use, in percent of what it has; changed while it moves, in its RAM."""
    gripper_torque_pct: Annotated[float, msgspec.Meta(ge=5.0, le=100.0)] = 50.0
    """The same of the gripper, whose servo would burn on what it grips."""
    gripper_protection_current_a: Annotated[float, msgspec.Meta(ge=0.1, le=3.3)] = 1.625
    """Current of the gripper's servo in ampere at which it protects itself."""
    gripper_overload_torque_pct: Annotated[int, msgspec.Meta(ge=5, le=90)] = 25
    """Load of the gripper's servo in percent at which it protects itself after two seconds."""
    speed_limit_deg_s: Annotated[float, msgspec.Meta(ge=10.0, le=360.0)] = 210.0
    """Cap of every motion inside the servo, in degrees per second: what is left if all else fails."""
    supply_voltage: Annotated[float, msgspec.Meta(ge=4.5, le=14.0)] | None = None
    """What the supply gives, in volts; without it, 5, 7.4 or 12, whichever is found. Other supplies are refused."""
