"""What an arm is made of. Metres, radians, kilograms unless a name says otherwise."""

from dataclasses import dataclass
from typing import Literal

Vector = tuple[float, float, float]


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
class Shape:
    """One geom of a link: a capsule from start to end, or a box of half sizes around end; link frame."""

    link: str
    kind: Literal["capsule", "box"]
    colour: str  # red green blue opacity, 0 to 1
    radius_m: float = 0.0
    start_m: Vector = (0.0, 0.0, 0.0)
    end_m: Vector = (0.0, 0.0, 0.0)
    half_m: Vector = (0.0, 0.0, 0.0)
    touches: bool = False  # takes part in contacts
    pad: bool = False  # high-friction jaw pad


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm. Its joints are in motor order, each the child of the one before; the last moves the jaw.

    Base frame: x away from the base, y to the left, z up, the table at z = 0. At zero of all joints the upper
    arm stands upright, forearm and hand lie level, and the jaws open upwards.
    """

    name: str  # what `env.robot.type` begins with
    joints: tuple[Joint, ...]
    links: tuple[Link, ...]
    shapes: tuple[Shape, ...]
    tool_parent: str  # link that carries the tool frame
    tool_xyz: Vector
    tool_rpy: Vector  # z is the approach, x points away from the opening jaw


BODY, HAND, PAD = "0.93 0.78 0.20 1", "0.25 0.30 0.38 1", "0.12 0.12 0.14 1"
