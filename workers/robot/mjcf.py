"""The simulated workcell as MJCF text: the arm in plain shapes, a table, a cube and two cameras.

Joints, masses and servos come from the figures. Shapes are this project's own: a capsule or a box per link,
drawn but without contact, except the two jaw pads, the fingers and the cube. Few geoms of few facets, no
shadows, no multisampling: on software rendering those cost more than the rest of a step together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

import numpy as np

from workers.robot.figures import JOINTS, LINKS, SERVO, TOOL_NAME, TOOL_PARENT, TOOL_XYZ, Joint, Vector

CUBE_HALF_M = 0.0125
CUBE_KG = 0.020
TIMESTEP_S = 0.004


@dataclass(frozen=True, slots=True)
class Camera:
    """A fixed camera: where it stands, what it looks at (metres, base frame), vertical field of view."""

    name: str
    position_m: Vector
    target_m: Vector
    fovy_deg: float


CAMERAS = (
    Camera("front", (0.60, 0.0, 0.36), (0.225, 0.0, 0.078), 38.0),
    Camera("side", (0.25, -0.40, 0.30), (0.245, 0.0, 0.080), 36.0),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One geom of a link: a capsule from start to end, or a box of half sizes around end; link frame."""

    link: str
    kind: str  # "capsule" | "box"
    colour: str
    radius_m: float = 0.0
    start_m: Vector = (0.0, 0.0, 0.0)
    end_m: Vector = (0.0, 0.0, 0.0)
    half_m: Vector = (0.0, 0.0, 0.0)
    touches: bool = False  # takes part in contacts
    pad: bool = False  # high-friction jaw pad


_BODY, _JAW, _PAD = "0.93 0.78 0.20 1", "0.25 0.30 0.38 1", "0.12 0.12 0.14 1"
SHAPES = (
    Shape("base", "box", _BODY, end_m=(0.02, 0.0, 0.028), half_m=(0.045, 0.032, 0.028)),
    Shape("shoulder", "box", _BODY, end_m=(-0.022, 0.0, -0.030), half_m=(0.022, 0.024, 0.030)),
    Shape("upper_arm", "capsule", _BODY, 0.016, (-0.005, -0.004, 0.018), (-0.108, -0.026, 0.018)),
    Shape("lower_arm", "capsule", _BODY, 0.015, (0.0, 0.0, 0.018), (-0.1349, 0.0052, 0.018)),
    Shape("wrist", "capsule", _JAW, 0.015, (0.0, 0.0, 0.0181), (0.0, -0.045, 0.0181)),
    Shape("gripper", "box", _JAW, end_m=(0.002, 0.0, -0.018), half_m=(0.022, 0.018, 0.016)),
    Shape("gripper", "box", _JAW, end_m=(-0.0205, 0.0, -0.064), half_m=(0.0030, 0.010, 0.034), touches=True),
    Shape("gripper", "box", _PAD, end_m=(-0.0155, 0.0, -0.084), half_m=(0.0020, 0.009, 0.014),
          touches=True, pad=True),
    Shape("moving_jaw", "capsule", _JAW, 0.0055, (0.0, 0.0, 0.0189), (-0.0300, -0.040, 0.0189)),
    Shape("moving_jaw", "box", _PAD, end_m=(-0.022, -0.056, 0.0189), half_m=(0.0025, 0.018, 0.009),
          touches=True, pad=True),
)  # fmt: skip


def pick_lift_mjcf(cameras: Sequence[Camera] = CAMERAS) -> str:
    """MJCF of the arm on a table with a 25 mm, 20 g cube. `<site>` of the tool: `gripper_frame_link`."""
    root = Xml.Element("mujoco", model="so101_pick_lift")
    Xml.SubElement(root, "compiler", angle="radian", autolimits="true")
    Xml.SubElement(
        root, "option", timestep=str(TIMESTEP_S), integrator="implicitfast", cone="elliptic", impratio="10"
    )
    Xml.SubElement(root, "statistic", extent="1", center="0.2 0 0.1")
    visual = Xml.SubElement(root, "visual")
    Xml.SubElement(
        visual, "quality", shadowsize="0", offsamples="0", numslices="8", numstacks="4", numquads="1"
    )
    Xml.SubElement(visual, "headlight", ambient="0.45 0.45 0.45", diffuse="0.15 0.15 0.15", specular="0 0 0")
    Xml.SubElement(visual, "map", znear="0.05", zfar="5")
    world = Xml.SubElement(root, "worldbody")
    _add_scenery(world, cameras)
    bodies = {"base": Xml.SubElement(world, "body", name="base")}
    for joint in JOINTS:
        bodies[joint.child] = _add_jointed_body(bodies[joint.parent], joint)
    for link in LINKS:
        inertia = _numbers(link.inertia)
        Xml.SubElement(
            bodies[link.name],
            "inertial",
            pos=_numbers(link.com_m),
            mass=repr(link.mass_kg),
            fullinertia=inertia,
        )
    for shape in SHAPES:
        _add_shape(bodies[shape.link], shape)
    Xml.SubElement(
        bodies[TOOL_PARENT], "site", name=TOOL_NAME, pos=_numbers(TOOL_XYZ), size="0.001", group="5"
    )
    _add_servos(root)
    return Xml.tostring(root, encoding="unicode")


def _add_scenery(world: Xml.Element, cameras: Sequence[Camera]) -> None:
    Xml.SubElement(
        world, "geom", name="table", type="box", pos="0.25 0 -0.01", size="3 3 0.01", rgba="0.70 0.74 0.78 1",
        friction="1 0.005 0.0001",
    )  # fmt: skip
    Xml.SubElement(
        world, "light", type="directional", dir="-0.35 0.25 -1", diffuse="0.5 0.5 0.5", specular="0 0 0",
        castshadow="false",
    )  # fmt: skip
    for camera in cameras:
        Xml.SubElement(
            world, "camera", name=camera.name, pos=_numbers(camera.position_m), fovy=str(camera.fovy_deg),
            xyaxes=_numbers(_looking_axes(camera)),
        )  # fmt: skip
    cube = Xml.SubElement(world, "body", name="cube", pos=f"0.24 0 {CUBE_HALF_M}")
    Xml.SubElement(cube, "freejoint", name="cube")
    Xml.SubElement(
        cube, "geom", name="cube", type="box", size=_numbers([CUBE_HALF_M] * 3), mass=str(CUBE_KG),
        rgba="0.85 0.10 0.10 1", friction="1 0.01 0.001", condim="4",
    )  # fmt: skip


def _add_jointed_body(parent: Xml.Element, joint: Joint) -> Xml.Element:
    body = Xml.SubElement(
        parent, "body", name=joint.child, pos=_numbers(joint.xyz), quat=_numbers(_quaternion(joint.rpy))
    )
    Xml.SubElement(
        body, "joint", name=joint.name, axis="0 0 1", range=_numbers((joint.lower_rad, joint.upper_rad)),
        damping=str(SERVO.damping), frictionloss=str(SERVO.frictionloss), armature=str(SERVO.armature),
    )  # fmt: skip
    return body


def _add_shape(body: Xml.Element, shape: Shape) -> None:
    geom = Xml.SubElement(body, "geom", type=shape.kind, rgba=shape.colour, mass="0")
    if shape.kind == "capsule":
        geom.set("fromto", _numbers((*shape.start_m, *shape.end_m)))
        geom.set("size", str(shape.radius_m))
    else:
        geom.set("pos", _numbers(shape.end_m))
        geom.set("size", _numbers(shape.half_m))
    if not shape.touches:
        geom.set("contype", "0")
        geom.set("conaffinity", "0")
    if shape.pad:
        geom.set("friction", "2 0.05 0.001")
        geom.set("condim", "4")


def _add_servos(root: Xml.Element) -> None:
    actuators = Xml.SubElement(root, "actuator")
    for joint in JOINTS:
        torque = SERVO.gripper_torque_limit if joint.name == "gripper" else SERVO.torque_limit
        Xml.SubElement(
            actuators, "position", name=joint.name, joint=joint.name, kp=str(SERVO.position_gain),
            kv=str(SERVO.velocity_gain), forcerange=_numbers((-torque, torque)),
        )  # fmt: skip


def _looking_axes(camera: Camera) -> Iterator[float]:
    """Camera x (right) and y (up) axes; MuJoCo cameras look along their own -z."""
    back = np.subtract(camera.position_m, camera.target_m)
    right = np.cross((0.0, 0.0, 1.0), back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    yield from right
    yield from up / np.linalg.norm(up)


def _quaternion(rpy: Vector) -> tuple[float, float, float, float]:
    """w x y z of the URDF's roll-pitch-yaw: R = Rz(yaw) Ry(pitch) Rx(roll)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(np.divide(rpy, 2)), np.sin(np.divide(rpy, 2))
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def _numbers(values: Iterator[float] | Sequence[float]) -> str:
    return " ".join(repr(float(v)) for v in values)
