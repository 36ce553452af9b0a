"""An arm as pinocchio knows it: read from URDF text, checked, with no more joints than the six that have motors."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import pinocchio

from workers.robot.arms import Arm
from workers.robot.figures import GRIPPER, JOINT_NAMES, TOOL_NAME, JointRange
from workers.robot.urdf import arm_urdf


class UrdfError(Exception):
    """A URDF that cannot be used for an arm of six motors; the text is for the operator."""


class FrameError(Exception):
    """A frame that the URDF has not, or that cannot be driven; the text is for the operator."""


class ArmModel:
    """Joints in motor order, how far they go, and the frames there are. Meshes are not read."""

    def __init__(self, urdf: str) -> None:
        """`urdf`: the text of a URDF file. Raises UrdfError."""
        root = _parsed(urdf)
        _check_joints(root)
        for joint in root.findall("joint"):
            if joint.get("name") not in JOINT_NAMES:
                joint.set("type", "fixed")  # no motor moves it
        try:
            self.pinocchio = pinocchio.buildModelFromXML(Xml.tostring(root, encoding="unicode"))
        except (ValueError, RuntimeError) as error:
            raise UrdfError(f"not a usable URDF: {str(error).strip()}") from None
        found = tuple(self.pinocchio.names)[1:]
        if found != JOINT_NAMES:
            order = f"{', '.join(found)}; they must be {', '.join(JOINT_NAMES)}"
            raise UrdfError(f"its joints follow one another as {order}")
        self.joints = JointRange(self.pinocchio.lowerPositionLimit, self.pinocchio.upperPositionLimit)
        self.frames: tuple[str, ...] = tuple(frame.name for frame in self._links())

    def frame_index(self, name: str) -> int:
        """Index of the frame `name`, which the arm moves and the jaw does not. Raises FrameError."""
        if name not in self.frames:
            raise FrameError(f'the URDF has no frame "{name}"; it has {", ".join(self.frames)}')
        index = int(self.pinocchio.getFrameId(name, pinocchio.FrameType.BODY))
        moved_by = [
            self.pinocchio.names[i] for i in self.pinocchio.supports[self.pinocchio.frames[index].parentJoint]
        ]
        if JOINT_NAMES[GRIPPER] in moved_by:
            raise FrameError(
                f'"{name}" moves with the jaw; choose a frame of the hand, such as "{self._hand()}"'
            )
        if "wrist_flex" not in moved_by:
            raise FrameError(
                f'"{name}" lies before the wrist; choose a frame of the hand, such as "{self._hand()}"'
            )
        return index

    def _hand(self) -> str:
        """The frame of the hand that is most likely meant: the tool, or else the one furthest out."""
        hand = self.pinocchio.getJointId("wrist_roll")
        on_hand = [frame.name for frame in self._links() if frame.parentJoint == hand]
        return TOOL_NAME if TOOL_NAME in on_hand else str(on_hand[-1])

    def _links(self) -> list["pinocchio.Frame"]:
        return [frame for frame in self.pinocchio.frames if frame.type == pinocchio.FrameType.BODY]


def builtin_model(arm: Arm) -> ArmModel:
    """The model of an arm that comes with the product."""
    return ArmModel(arm_urdf(arm))


def model_from_file(path: str) -> ArmModel:
    """The model in the URDF file `path`. Raises UrdfError."""
    try:
        return ArmModel(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise UrdfError(f"no such file: {path}") from None
    except IsADirectoryError:
        raise UrdfError(f"{path} is a folder; name the URDF file in it") from None
    except UnicodeDecodeError:
        raise UrdfError(f"{path} is no text file; a URDF is XML in UTF-8") from None
    except OSError as error:
        raise UrdfError(f"{path} cannot be read: {error.strerror}") from None


def _parsed(urdf: str) -> Xml.Element:
    try:
        root = Xml.fromstring(urdf)
    except Xml.ParseError as error:
        raise UrdfError(f"not XML: {error}") from None
    if root.tag != "robot":
        raise UrdfError(f"not a URDF: its outermost element is <{root.tag}>, not <robot>")
    return root


def _check_joints(root: Xml.Element) -> None:
    there = {joint.get("name", ""): joint for joint in root.findall("joint")}
    missing = [name for name in JOINT_NAMES if name not in there]
    if missing:
        found = ", ".join(there) or "none"
        raise UrdfError(
            f"no joint {', '.join(missing)}; its joints are {found}. Rename them as the motors are named"
        )
    for name in JOINT_NAMES:
        _check_joint(name, there[name])


def _check_joint(name: str, joint: Xml.Element) -> None:
    kind = joint.get("type")
    if kind != "revolute":
        raise UrdfError(f'joint {name} is "{kind}"; it must be "revolute" with a lower and an upper limit')
    limit = joint.find("limit")
    given = {} if limit is None else limit.attrib
    try:
        lower, upper = float(given.get("lower", "0")), float(given.get("upper", "0"))
    except ValueError:
        raise UrdfError(f"joint {name}: its limits are not numbers") from None
    if not lower < upper:
        raise UrdfError(
            f"joint {name}: its lower limit {lower:g} is not below its upper limit {upper:g} (radians)"
        )
