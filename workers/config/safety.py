"""[env.robot.safety]: what the gate of a real arm watches in its servos, and how it parks."""

from typing import Annotated

import msgspec

from workers.config.values import Problems, Section

Celsius = Annotated[float, msgspec.Meta(ge=30.0, le=75.0)]
_Angle = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]


class SafetyConfig(Section, frozen=True, kw_only=True):
    rest_pose: tuple[_Angle, _Angle, _Angle, _Angle, _Angle, _Angle] = (0.0, -99.0, 92.0, 66.0, 0.0, 10.0)
    """Pose in which the arm rests by itself, where it is parked before its torque goes off: five joints in degrees,
    gripper in percent."""
    park_speed_deg_s: Annotated[float, msgspec.Meta(gt=0.0, le=50.0)] = 10.0
    """Speed of the fastest joint on the way there, in degrees per second; more where that would take over 13 s."""
    reset_speed_deg_s: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] = 25.0
    """The same on the way to the pose in which an episode starts."""
    stall_load_pct: Annotated[float, msgspec.Meta(ge=20.0, le=100.0)] = 60.0
    """A joint that is 60 steps (5.3 degrees) off its goal, does not move for 0.34 s and has this load, in percent of
    the servo's, is stalled: the arm holds where it is, with little torque on that joint, until the stop is cleared.
    Where `max_relative_target` is less than 60 steps, the load counts in proportion."""
    warn_temperature_c: Celsius = 55.0
    """Temperature of a servo in degrees Celsius at which the operator is warned."""
    derate_temperature_c: Celsius = 60.0
    """Temperature at which that servo gets half of its torque at most."""
    park_temperature_c: Celsius = 65.0
    """Temperature at which the arm parks and its torque goes off. The servo itself gives up at 70."""

    def problems(self) -> Problems:
        if not self.warn_temperature_c < self.derate_temperature_c:
            yield ("derate_temperature_c",), "must be above warn_temperature_c"
        if not self.derate_temperature_c < self.park_temperature_c:
            yield ("park_temperature_c",), "must be above derate_temperature_c"
