"""The SO-101 arm in figures: joints, masses, servos, task. Typed once; URDF and MJCF are derived from here.

Source: the public SO-ARM100 hardware project (Apache-2.0), Simulation/SO101, "new calibration": each joint's
zero is the middle of its range. Metres, radians, kilograms unless a name says otherwise.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Joint:
    """Revolute joint about its own +z; `xyz` and `rpy` place it in the parent link (URDF convention)."""

    name: str
    parent: str
    child: str
    xyz: Vector
    rpy: Vector
    lower_rad: float
    upper_rad: float


@dataclass(frozen=True, slots=True)
class Link:
    """Mass properties; `inertia` about the centre of mass: ixx iyy izz ixy ixz iyz, kg m2."""

    name: str
    mass_kg: float
    com_m: Vector
    inertia: tuple[float, float, float, float, float, float]


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


JOINTS: Final = (
    Joint("shoulder_pan", "base", "shoulder",
          (0.0388353, 0.0, 0.0624), (np.pi, 0.0, -np.pi), -1.91986, 1.91986),
    Joint("shoulder_lift", "shoulder", "upper_arm",
          (-0.0303992, -0.0182778, -0.0542), (-np.pi / 2, -np.pi / 2, 0.0), -1.74533, 1.74533),
    Joint("elbow_flex", "upper_arm", "lower_arm",
          (-0.11257, -0.028, 0.0), (0.0, 0.0, np.pi / 2), -1.69, 1.69),
    Joint("wrist_flex", "lower_arm", "wrist",
          (-0.1349, 0.0052, 0.0), (0.0, 0.0, -np.pi / 2), -1.65806, 1.65806),
    Joint("wrist_roll", "wrist", "gripper",
          (0.0, -0.0611, 0.0181), (np.pi / 2, 0.0486795, np.pi), -2.74385, 2.84121),
    Joint("gripper", "gripper", "moving_jaw",
          (0.0202, 0.0188, -0.0234), (np.pi / 2, 0.0, 0.0), -0.174533, 1.74533),
)  # fmt: skip

LINKS: Final = (
    Link("base", 0.147, (0.0137179, -5.2e-05, 0.0334843),
         (1.14686e-4, 1.36117e-4, 1.30364e-4, -4.59787e-7, 4.97151e-6, 9.75275e-8)),
    Link("shoulder", 0.100006, (-0.0307604, -1.667e-05, -0.0252713),
         (8.3759e-5, 8.10403e-5, 2.39783e-5, 7.55525e-8, -1.16342e-6, 1.54663e-7)),
    Link("upper_arm", 0.103, (-0.0898471, -0.00838224, 0.0184089),
         (4.08002e-5, 1.47318e-4, 1.42487e-4, -1.97819e-5, -4.03e-8, 8.97e-9)),
    Link("lower_arm", 0.104, (-0.0980701, 0.00324376, 0.0182831),
         (2.87438e-5, 1.59844e-4, 1.4529e-4, 7.41152e-6, 1.26409e-6, -4.9e-8)),
    Link("wrist", 0.079, (-0.000103312, -0.0386143, 0.0281156),
         (3.68263e-5, 2.5391e-5, 2.1e-5, 1.7893e-8, -5.28128e-8, 3.6412e-6)),
    Link("gripper", 0.087, (0.000213627, 0.000245138, -0.025187),
         (2.75087e-5, 4.33657e-5, 3.45059e-5, -3.35241e-7, -5.7352e-6, -5.17847e-8)),
    Link("moving_jaw", 0.012, (-0.00157495, -0.0300244, 0.0192755),
         (6.61427e-6, 1.89032e-6, 5.28738e-6, -3.19807e-7, -5.91e-9, -1.09945e-7)),
)  # fmt: skip

TOOL_NAME: Final = "gripper_frame_link"
TOOL_PARENT: Final = "gripper"
TOOL_XYZ: Final[Vector] = (-0.0079, -0.000218121, -0.0981274)
TOOL_RPY: Final[Vector] = (0.0, np.pi, 0.0)

SERVO: Final = Servo()
JOINT_NAMES: Final = tuple(joint.name for joint in JOINTS)
GRIPPER: Final = JOINT_NAMES.index("gripper")

_LOWER_RAD: Final = np.array([joint.lower_rad for joint in JOINTS])
_UPPER_RAD: Final = np.array([joint.upper_rad for joint in JOINTS])
_PERCENT_PER_RAD: Final = 100.0 / (JOINTS[GRIPPER].upper_rad - JOINTS[GRIPPER].lower_rad)
# Public unit = raw radians * scale + offset: degrees for the five arm joints, percent open for the gripper.
_SCALE: Final = np.array([180.0 / np.pi] * 5 + [_PERCENT_PER_RAD])
_OFFSET: Final = np.array([0.0] * 5 + [-JOINTS[GRIPPER].lower_rad * _PERCENT_PER_RAD])


def public_joints(joints_rad: Floats) -> Floats:
    """Radians [6] of the model -> public joint vector [6]: degrees, gripper in percent open."""
    joints: Floats = joints_rad * _SCALE + _OFFSET
    return joints


def model_joints(joints_deg: Floats) -> Floats:
    """Public joint vector [6] -> radians [6] of the model."""
    joints: Floats = (joints_deg - _OFFSET) / _SCALE
    return joints


def public_velocity(velocity_rad_s: Floats) -> Floats:
    """rad/s [6] -> deg/s of the five joints and percent/s of the gripper."""
    velocity: Floats = velocity_rad_s * _SCALE
    return velocity


LOWER_DEG: Final = public_joints(_LOWER_RAD)
UPPER_DEG: Final = public_joints(_UPPER_RAD)
