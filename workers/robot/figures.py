"""Names and units of the joints, the servo in figures, and the units of the SO-101, which the simulator has.

A public joint vector is float64 [6] in motor order: five joints in degrees, the gripper in percent, 0 closed to
100 open. Radians stay inside kinematics and simulator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.arms import SO101

Floats = NDArray[np.float64]
Point = tuple[float, float, float]
"""A place in metres, base frame."""

TOOL_NAME: Final = "gripper_frame_link"
JOINT_NAMES: Final = tuple(joint.name for joint in SO101.joints)
GRIPPER: Final = JOINT_NAMES.index("gripper")


class JointRange:
    """How far the joints of an arm go, and with it the unit of its gripper."""

    def __init__(self, lower_rad: Floats, upper_rad: Floats) -> None:
        """`lower_rad`, `upper_rad` [6]: limits of the model's joints; the gripper is closed at its lower one."""
        percent_per_rad = 100.0 / (upper_rad[GRIPPER] - lower_rad[GRIPPER])
        # public unit = radians * scale + offset
        self._scale = np.array([180.0 / np.pi] * GRIPPER + [percent_per_rad])
        self._offset = np.array([0.0] * GRIPPER + [-lower_rad[GRIPPER] * percent_per_rad])
        self.lower_deg = self.public(lower_rad)
        self.upper_deg = self.public(upper_rad)

    def public(self, joints_rad: Floats) -> Floats:
        """Radians [6] of the model -> public joint vector [6]."""
        joints: Floats = joints_rad * self._scale + self._offset
        return joints

    def model(self, joints_deg: Floats) -> Floats:
        """Public joint vector [6] -> radians [6] of the model."""
        joints: Floats = (joints_deg - self._offset) / self._scale
        return joints

    def radians(self, joints_deg: Sequence[float]) -> list[float]:
        """As `model`, in plain numbers."""
        units = zip(joints_deg, self._offset.tolist(), self._scale.tolist(), strict=True)
        return [(value - offset) / scale for value, offset, scale in units]

    def public_velocity(self, velocity_rad_s: Floats) -> Floats:
        """rad/s [6] -> deg/s of the five joints and percent/s of the gripper."""
        velocity: Floats = velocity_rad_s * self._scale
        return velocity


@dataclass(frozen=True, slots=True)
class Servo:
    """STS3215 as a position servo on a joint with damping, dry friction and rotor inertia.

    Damping, friction, inertia and torque are the published model's. Position and velocity gain are chosen
    for what users see of the servo's own PD loop: no ringing, about 20 ms of lag, less than a millimetre of
    sag at the tool.
    """

    damping: float = 0.60  # N m s/rad
    frictionloss: float = 0.052  # N m
    armature: float = 0.028  # kg m2
    position_gain: float = 160.0  # N m/rad
    velocity_gain: float = 3.0  # N m s/rad
    torque_limit: float = 2.94  # N m
    gripper_torque_limit: float = 1.5  # N m: half, as LeRobot sets the gripper's servo


SERVO: Final = Servo()
SO101_RANGE: Final = JointRange(
    np.array([joint.lower_rad for joint in SO101.joints]),
    np.array([joint.upper_rad for joint in SO101.joints]),
)
LOWER_DEG: Final = SO101_RANGE.lower_deg
UPPER_DEG: Final = SO101_RANGE.upper_deg
public_joints = SO101_RANGE.public
model_joints = SO101_RANGE.model
public_velocity = SO101_RANGE.public_velocity
