"""Our own URDFs, and what is asked of a user's."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pinocchio
import pytest

from workers.robot.arm_model import ArmModel, FrameError, UrdfError, builtin_model, model_from_file
from workers.robot.arms import ARMS, SO101, Arm, arm_of
from workers.robot.figures import GRIPPER, JOINT_NAMES, LOWER_DEG, TOOL_NAME, UPPER_DEG
from workers.robot.gate import Limits
from workers.robot.kinematics import Kinematics
from workers.robot.urdf import arm_urdf

HOME = np.zeros(6)


def changed(change: str) -> str:
    """The SO-101's URDF with one thing another way."""
    root = Xml.fromstring(arm_urdf(SO101))
    joints = {joint.get("name", ""): joint for joint in root.findall("joint")}
    if change == "named otherwise":
        joints["elbow_flex"].set("name", "elbow")
    elif change == "continuous":
        joints["wrist_roll"].set("type", "continuous")
    elif change == "no limits":
        joints["wrist_flex"].remove(joints["wrist_flex"].findall("limit")[0])
    elif change == "limits the wrong way round":
        joints["shoulder_pan"].findall("limit")[0].set("lower", "3")
    elif change == "two roots":
        root.remove(joints["shoulder_lift"])
        Xml.SubElement(
            Xml.SubElement(root, "joint", name="shoulder_lift", type="revolute"),
            "limit",
            lower="-1",
            upper="1",
        )
    elif change == "wrist before elbow":
        joints["elbow_flex"].set("name", "swap")
        joints["wrist_flex"].set("name", "elbow_flex")
        joints["elbow_flex"].set("name", "wrist_flex")
    elif change == "meshes":
        for link in root.findall("link"):
            mesh = Xml.SubElement(Xml.SubElement(link, "visual"), "geometry")
            Xml.SubElement(mesh, "mesh", filename="assets/missing.stl")
    elif change == "on a turntable":
        Xml.SubElement(root, "link", name="table")
        table = Xml.SubElement(root, "joint", name="turntable", type="continuous")
        Xml.SubElement(table, "parent", link="table")
        Xml.SubElement(table, "child", link="base")
        Xml.SubElement(table, "axis", xyz="0 0 1")
    elif change == "half the range":
        for name in JOINT_NAMES:
            limit = joints[name].findall("limit")[0]
            limit.set("lower", str(float(limit.get("lower", "")) / 2))
            limit.set("upper", str(float(limit.get("upper", "")) / 2))
    return Xml.tostring(root, encoding="unicode")


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_our_urdfs_load_with_all_their_shapes(arm: Arm) -> None:
    text = arm_urdf(arm)
    model = pinocchio.buildModelFromXML(text)
    assert tuple(model.names)[1:] == JOINT_NAMES
    pieces = sum(3 if shape.kind == "capsule" else 1 for shape in arm.shapes)
    for kind in (pinocchio.GeometryType.VISUAL, pinocchio.GeometryType.COLLISION):
        geometry = pinocchio.buildGeomFromUrdfString(model, text, kind)
        assert geometry.ngeoms == pieces
        assert not any(shape.meshPath for shape in geometry.geometryObjects if shape.meshPath.endswith("stl"))


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_the_shapes_lie_along_the_links(arm: Arm) -> None:
    """Upper arm and forearm are drawn from one joint to the next."""
    text = arm_urdf(arm)
    model = pinocchio.buildModelFromXML(text)
    data = model.createData()
    geometry = pinocchio.buildGeomFromUrdfString(model, text, pinocchio.GeometryType.COLLISION)
    placed = pinocchio.GeometryData(geometry)
    pinocchio.updateGeometryPlacements(model, data, geometry, placed, np.full(6, 0.3))
    at = {
        shape.name: pose.translation for shape, pose in zip(geometry.geometryObjects, placed.oMg, strict=True)
    }
    for link, joint in (("upper_arm", "elbow_flex"), ("lower_arm", "wrist_flex")):
        joints = [data.oMi[i].translation for i in (model.getJointId(joint) - 1, model.getJointId(joint))]
        middle = at[f"{link}_0"]
        away = middle - joints[0]
        along = (joints[1] - joints[0]) / np.linalg.norm(joints[1] - joints[0])
        assert np.linalg.norm(away - along * (away @ along)) < 0.022


def test_a_robot_type_names_its_arm() -> None:
    assert [arm_of(kind).name for kind in ("so101_sim", "so101_follower", "so100_follower")] == [
        "so101",
        "so101",
        "so100",
    ]
    with pytest.raises(KeyError):
        arm_of("koch_follower")


def test_a_user_s_urdf_needs_no_mesh_files(tmp_path: Path) -> None:
    path = tmp_path / "arm.urdf"
    path.write_text(changed("meshes"))
    model = model_from_file(str(path))
    assert Kinematics(model=model).position(HOME) == pytest.approx(Kinematics().position(HOME))


def test_joints_without_a_motor_stand_still() -> None:
    model = ArmModel(changed("on a turntable"))
    assert Kinematics(model=model).position(HOME) == pytest.approx(Kinematics().position(HOME))
    assert "table" in model.frames


def test_the_limits_of_a_user_s_urdf_bind_solver_and_gate_alike() -> None:
    model = ArmModel(changed("half the range"))
    kinematics, full = Kinematics(model=model), Kinematics()
    assert model.joints.lower_deg[:GRIPPER] == pytest.approx(LOWER_DEG[:GRIPPER] / 2)
    beyond = np.array([80.0, -60.0, 60.0, 60.0, 100.0, 50.0])
    solution = kinematics.inverse(full.forward(beyond), HOME)
    arm = solution.joints_deg[:GRIPPER]
    assert (arm >= LOWER_DEG[:GRIPPER] / 2 - 1e-6).all() and (arm <= UPPER_DEG[:GRIPPER] / 2 + 1e-6).all()
    limits = Limits.of(2.0, 50.0, 500.0, (5.0,) * 6, None, joints=model.joints)
    assert limits.upper_deg[:GRIPPER] == pytest.approx(UPPER_DEG[:GRIPPER] / 2 - 2.0)
    assert (limits.lower_deg[GRIPPER], limits.upper_deg[GRIPPER]) == (
        pytest.approx(0.0),
        pytest.approx(100.0),
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("named otherwise", "no joint elbow_flex; its joints are"),
        ("continuous", 'joint wrist_roll is "continuous"; it must be "revolute"'),
        ("no limits", "joint wrist_flex: its lower limit 0 is not below its upper limit 0"),
        ("limits the wrong way round", "joint shoulder_pan: its lower limit 3 is not below"),
        ("two roots", "not a usable URDF"),
        ("wrist before elbow", "its joints follow one another as"),
    ],
)
def test_a_urdf_of_another_arm_is_refused_with_the_reason(change: str, says: str) -> None:
    with pytest.raises(UrdfError, match="^" + says):
        ArmModel(changed(change))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not XML"),
        ("<robot", "not XML: .*line 1"),
        ("<mujoco/>", "outermost element is <mujoco>, not <robot>"),
    ],
)
def test_a_file_that_is_no_urdf_is_told_apart(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "arm.urdf"
    path.write_text(text)
    with pytest.raises(UrdfError, match=says):
        model_from_file(str(path))


def test_a_path_that_is_no_file_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    for path, says in (
        (tmp_path / "none.urdf", "no such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "picture.png", "no text file"),
    ):
        with pytest.raises(UrdfError, match=says):
            model_from_file(str(path))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (
            "gripper_frame",
            "it has base, shoulder, upper_arm, lower_arm, wrist, gripper, moving_jaw, gripper_frame_link",
        ),
        ("moving_jaw", f'moves with the jaw; choose a frame of the hand, such as "{TOOL_NAME}"'),
        ("lower_arm", "lies before the wrist"),
    ],
)
def test_a_frame_that_cannot_be_driven_is_refused_with_those_that_can(frame: str, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        Kinematics(frame=frame, model=builtin_model(SO101))
