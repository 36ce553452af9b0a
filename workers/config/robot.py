"""[env.robot]: which arm, its cameras, and the limits its safety gate keeps on every path."""

from typing import Annotated, Literal

import msgspec

from workers.config.cameras import CameraConfig, CameraName
from workers.config.safety import SafetyConfig
from workers.config.servo import ServoConfig
from workers.config.values import Above0, Problems, Section

Motor = Literal["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
RobotType = Literal["so101_sim", "so101_follower", "so100_follower", "so100_follower_end_effector"]
SIMULATED: RobotType = "so101_sim"
Text = Annotated[str, msgspec.Meta(min_length=1)]
Degrees = Annotated[
    Literal[True],
    msgspec.Meta(description="true: kinematics needs degrees"),
]
Lead = Annotated[float, msgspec.Meta(gt=0.0, le=45.0)]
Angle = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
_NARROWEST = 1.0  # degrees, percent: less is a joint that cannot move


class RobotConfig(Section, frozen=True, kw_only=True):
    type: RobotType
    """Kind of arm: `so101_sim` is the simulated SO-101 at its table, `so101_follower` and `so100_follower` are real.
    LeRobot's `so100_follower_end_effector` is another name for the latter: all are driven by their end-effector."""
    port: Text | None = None
    """Serial port of a real arm; `hilserl-worker find-port` tells which, best by its name in /dev/serial/by-id."""
    id: Text | None = None
    """Name of the calibration of a real arm, as LeRobot has it."""
    calibration_dir: Text | None = None
    """Folder of its calibration; without it, where LeRobot keeps them."""
    use_degrees: Degrees = True
    """Joints are in degrees, which kinematics needs; LeRobot's percent of the range (`false`) is refused."""
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
    servo: ServoConfig = ServoConfig()
    """Settings of a real arm's servos."""
    safety: SafetyConfig = SafetyConfig()
    """What is watched in the servos of a real arm, and how it parks."""

    def problems(self) -> Problems:
        yield from self._hardware_problems()
        for motor, (low, high) in self.joint_limits_deg.items():
            if motor == "gripper" and not (low >= 0.0 and high <= 100.0):
                yield ("joint_limits_deg", motor), f"[{low:g}, {high:g}]: percent open, 0 to 100"
            elif high - low < _NARROWEST:
                yield ("joint_limits_deg", motor), f"[{low:g}, {high:g}]: the first must be below the second"

    def _hardware_problems(self) -> Problems:
        """A real arm needs its port and name; a simulated one has none."""
        if self.type == SIMULATED:
            for key in _OF_SERVOS:
                if getattr(self, key) is not None:
                    yield (key,), f'does nothing for env.robot.type = "{SIMULATED}"; remove this key'
            if self.safety != SafetyConfig():
                yield ("safety",), f'does nothing for env.robot.type = "{SIMULATED}"; remove this table'
            return
        if self.port is None:
            yield ("port",), "missing; hilserl-worker find-port tells which serial port the arm is on"
        if self.id is None:
            text = "missing; it names the arm's calibration: the id you gave to LeRobot, or to hilserl-worker calibrate"
            yield ("id",), text

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
_OF_SERVOS = ("port", "id", "calibration_dir")
