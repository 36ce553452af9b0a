"""An arm as URDF text, derived from its figures: what pinocchio reads, with plain shapes instead of meshes."""

from collections.abc import Iterator
from xml.etree import ElementTree as Xml

import numpy as np

from workers.robot.arms import Arm, Joint, Link, Shape, Vector
from workers.robot.figures import TOOL_NAME

_EFFORT_N_M, _VELOCITY_RAD_S = "2.94", "5"  # STS3215 at 12 V; URDF asks for both, nothing here uses them


def arm_urdf(arm: Arm) -> str:
    """URDF of `arm` with LeRobot's joint names and the tool frame `gripper_frame_link`."""
    robot = Xml.Element("robot", name=arm.name)
    for link in arm.links:
        element = _add_link(robot, link)
        for shape in arm.shapes:
            if shape.link == link.name:
                _add_shape(element, shape)
    for joint in arm.joints:
        _add_joint(robot, joint)
    Xml.SubElement(robot, "link", name=TOOL_NAME)
    fixed = Xml.SubElement(robot, "joint", name="gripper_frame", type="fixed")
    _connect(fixed, arm.tool_parent, TOOL_NAME, arm.tool_xyz, arm.tool_rpy)
    return Xml.tostring(robot, encoding="unicode")


def _add_link(robot: Xml.Element, link: Link) -> Xml.Element:
    element = Xml.SubElement(robot, "link", name=link.name)
    inertial = Xml.SubElement(element, "inertial")
    Xml.SubElement(inertial, "origin", xyz=_text(link.com_m), rpy="0 0 0")
    Xml.SubElement(inertial, "mass", value=repr(link.mass_kg))
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    Xml.SubElement(inertial, "inertia", {n: repr(v) for n, v in zip(names, link.inertia, strict=True)})
    return element


def _add_joint(robot: Xml.Element, joint: Joint) -> None:
    element = Xml.SubElement(robot, "joint", name=joint.name, type="revolute")
    _connect(element, joint.parent, joint.child, joint.xyz, joint.rpy)
    Xml.SubElement(element, "axis", xyz="0 0 1")
    Xml.SubElement(
        element, "limit", lower=repr(float(joint.lower_rad)), upper=repr(float(joint.upper_rad)),
        effort=_EFFORT_N_M, velocity=_VELOCITY_RAD_S,
    )  # fmt: skip


def _connect(joint: Xml.Element, parent: str, child: str, xyz: Vector, rpy: Vector) -> None:
    Xml.SubElement(joint, "origin", xyz=_text(xyz), rpy=_text(rpy))
    Xml.SubElement(joint, "parent", link=parent)
    Xml.SubElement(joint, "child", link=child)


def _add_shape(link: Xml.Element, shape: Shape) -> None:
    for kind in ("visual", "collision"):
        for primitive, size, xyz, rpy in _primitives(shape):
            element = Xml.SubElement(link, kind)
            Xml.SubElement(element, "origin", xyz=_text(xyz), rpy=_text(rpy))
            Xml.SubElement(Xml.SubElement(element, "geometry"), primitive, size)
            if kind == "visual":
                material = Xml.SubElement(element, "material", name=shape.colour.replace(" ", "_"))
                Xml.SubElement(material, "color", rgba=shape.colour)


def _primitives(shape: Shape) -> Iterator[tuple[str, dict[str, str], Vector, Vector]]:
    """A shape in URDF's terms, which knows no capsule: element, its size, where its centre is, how it lies."""
    upright = (0.0, 0.0, 0.0)
    if shape.kind == "box":
        x, y, z = np.multiply(shape.half_m, 2.0)
        yield "box", {"size": _text((x, y, z))}, shape.end_m, upright
        return
    radius = repr(shape.radius_m)
    along = np.subtract(shape.end_m, shape.start_m)
    x, y, z = np.add(shape.end_m, shape.start_m) / 2
    # Rz(yaw) Ry(pitch) turns the cylinder's z into `along`.
    pitch = float(np.arctan2(np.hypot(along[0], along[1]), along[2]))
    yaw = float(np.arctan2(along[1], along[0]))
    length = repr(float(np.linalg.norm(along)))
    yield "cylinder", {"radius": radius, "length": length}, (x, y, z), (0.0, pitch, yaw)
    yield "sphere", {"radius": radius}, shape.start_m, upright
    yield "sphere", {"radius": radius}, shape.end_m, upright


def _text(vector: Vector) -> str:
    return " ".join(repr(float(v)) for v in vector)
