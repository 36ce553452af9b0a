"""The simulated workcell as MJCF text: the arm, a table, what the task needs on it, and the cameras.

Everything comes from the figures of arm, servo and scene. Shapes are drawn but without contact, except the two jaw
pads, the fingers and the cube. Few geoms of few facets, no shadows, no multisampling: on software rendering those
cost more than the rest of a step together.
"""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as Xml

import numpy as np

from workers.robot.arms import SO101, Joint, Shape, Vector
from workers.robot.figures import SERVO, TOOL_NAME
from workers.robot.scene import (
    CUBE_COLOUR,
    CUBE_HALF_M,
    CUBE_KG,
    GOAL_COLOUR,
    MARKER_RADIUS_M,
    SPOT_HALF_M,
    SPOT_RADIUS_M,
    VIEWS,
    View,
)
from workers.robot.tasks import TaskName

TIMESTEP_S = 0.004
GOAL = "goal"  # body without mass or contact, moved by its `mocap_pos`


def workcell_mjcf(task: TaskName) -> str:
    """MJCF of the arm on a table with what `task` needs: a 25 mm, 20 g cube, a marker to reach, a spot to push to.

    `<site>` of the tool: `gripper_frame_link`. Cameras are named after their views.
    """
    root = Xml.Element("mujoco", model=f"so101_{task}")
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
    _add_scenery(world)
    if task != "reach":
        _add_cube(world)
    if task != "pick_lift":
        _add_goal(world, task)
    bodies = {"base": Xml.SubElement(world, "body", name="base")}
    for joint in SO101.joints:
        bodies[joint.child] = _add_jointed_body(bodies[joint.parent], joint)
    for link in SO101.links:
        inertia = _numbers(link.inertia)
        Xml.SubElement(
            bodies[link.name],
            "inertial",
            pos=_numbers(link.com_m),
            mass=repr(link.mass_kg),
            fullinertia=inertia,
        )
    for shape in SO101.shapes:
        _add_shape(bodies[shape.link], shape)
    for view in VIEWS:
        _add_camera(world if view.link is None else bodies[view.link], view)
    Xml.SubElement(
        bodies[SO101.tool_parent],
        "site",
        name=TOOL_NAME,
        pos=_numbers(SO101.tool_xyz),
        size="0.001",
        group="5",
    )
    _add_servos(root)
    return Xml.tostring(root, encoding="unicode")


def _add_scenery(world: Xml.Element) -> None:
    Xml.SubElement(
        world, "geom", name="table", type="box", pos="0.25 0 -0.01", size="3 3 0.01", rgba="0.70 0.74 0.78 1",
        friction="1 0.005 0.0001",
    )  # fmt: skip
    Xml.SubElement(
        world, "light", type="directional", dir="-0.35 0.25 -1", diffuse="0.5 0.5 0.5", specular="0 0 0",
        castshadow="false",
    )  # fmt: skip


def _add_cube(world: Xml.Element) -> None:
    cube = Xml.SubElement(world, "body", name="cube", pos=f"0.24 0 {CUBE_HALF_M}")
    Xml.SubElement(cube, "freejoint", name="cube")
    Xml.SubElement(
        cube, "geom", name="cube", type="box", size=_numbers([CUBE_HALF_M] * 3), mass=str(CUBE_KG),
        rgba=CUBE_COLOUR, friction="1 0.01 0.001", condim="4",
    )  # fmt: skip


def _add_goal(world: Xml.Element, task: TaskName) -> None:
    goal = Xml.SubElement(world, "body", name=GOAL, mocap="true")
    geom = Xml.SubElement(goal, "geom", name=GOAL, rgba=GOAL_COLOUR, contype="0", conaffinity="0")
    if task == "push":
        geom.attrib |= {"type": "cylinder", "size": _numbers((SPOT_RADIUS_M, SPOT_HALF_M))}
    else:
        geom.attrib |= {"type": "sphere", "size": _numbers([MARKER_RADIUS_M])}


def _add_camera(body: Xml.Element, view: View) -> None:
    Xml.SubElement(
        body, "camera", name=view.name, pos=_numbers(view.position_m), fovy=str(view.fovy_deg),
        xyaxes=_numbers(_looking_axes(view)),
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
    for joint in SO101.joints:
        torque = SERVO.gripper_torque_limit if joint.name == "gripper" else SERVO.torque_limit
        Xml.SubElement(
            actuators, "position", name=joint.name, joint=joint.name, kp=str(SERVO.position_gain),
            kv=str(SERVO.velocity_gain), forcerange=_numbers((-torque, torque)),
        )  # fmt: skip


def _looking_axes(view: View) -> Iterator[float]:
    """Camera x (right) and y (up) axes; MuJoCo cameras look along their own -z."""
    back = np.subtract(view.position_m, view.target_m)
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
