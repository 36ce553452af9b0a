"""The arm as URDF text, derived from the figures; what pinocchio reads for kinematics."""

from xml.etree import ElementTree as Xml

from workers.robot.figures import JOINTS, LINKS, TOOL_NAME, TOOL_PARENT, TOOL_RPY, TOOL_XYZ, Link, Vector


def so101_urdf() -> str:
    """URDF of the SO-101 with LeRobot's joint names and the tool frame `gripper_frame_link`. No geometry."""
    robot = Xml.Element("robot", name="so101")
    for link in LINKS:
        _add_link(robot, link)
    for joint in JOINTS:
        element = _add_joint(robot, joint.name, "revolute", joint.parent, joint.child, joint.xyz, joint.rpy)
        Xml.SubElement(element, "axis", xyz="0 0 1")
        limits = {
            "lower": repr(joint.lower_rad),
            "upper": repr(joint.upper_rad),
            "effort": "3",
            "velocity": "5",
        }
        Xml.SubElement(element, "limit", limits)
    Xml.SubElement(robot, "link", name=TOOL_NAME)
    _add_joint(robot, "gripper_frame", "fixed", TOOL_PARENT, TOOL_NAME, TOOL_XYZ, TOOL_RPY)
    return Xml.tostring(robot, encoding="unicode")


def _add_link(robot: Xml.Element, link: Link) -> None:
    inertial = Xml.SubElement(Xml.SubElement(robot, "link", name=link.name), "inertial")
    Xml.SubElement(inertial, "origin", xyz=_text(link.com_m), rpy="0 0 0")
    Xml.SubElement(inertial, "mass", value=repr(link.mass_kg))
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    Xml.SubElement(inertial, "inertia", {n: repr(v) for n, v in zip(names, link.inertia, strict=True)})


def _add_joint(
    robot: Xml.Element, name: str, kind: str, parent: str, child: str, xyz: Vector, rpy: Vector
) -> Xml.Element:
    element = Xml.SubElement(robot, "joint", name=name, type=kind)
    Xml.SubElement(element, "origin", xyz=_text(xyz), rpy=_text(rpy))
    Xml.SubElement(element, "parent", link=parent)
    Xml.SubElement(element, "child", link=child)
    return element


def _text(vector: Vector) -> str:
    return " ".join(repr(float(v)) for v in vector)
