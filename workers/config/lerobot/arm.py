"""The arm, its task and the person's device. Of an arm that has no driver here the simulated one takes the place."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, get_args

import msgspec

from workers.config.env import EnvConfig
from workers.config.lerobot.draft import Draft, Fate
from workers.config.lerobot.reading import at
from workers.config.processor import SIMULATED, InverseKinematicsConfig, ProcessorConfig
from workers.config.robot import RobotConfig
from workers.config.teleop import LEADERS
from workers.config.values import Section

PROCESSOR = ("env", "processor")
GRIPPER = ("env", "processor", "gripper")
OPENING = ("env", "processor", "max_gripper_pos")
KINEMATICS = ("env", "processor", "inverse_kinematics")
CLASSIFIER = ("env", "processor", "reward_classifier")
ROBOT = ("env", "robot")
REAL_ARMS = ("so101_follower", "so100_follower", "so100_follower_end_effector")
FOR_THE_SIMULATOR = ("speed_limit_deg_s", "acceleration_limit_deg_s2", "gripper_speed_pct_s")
"""Faster than a real arm should begin with."""
TASKS = get_args(next(field.type for field in msgspec.structs.fields(EnvConfig) if field.name == "task"))


def take_arm(draft: Draft) -> None:
    """What needs a decision; plain keys are left open."""
    draft.take(("env", "fps"), ("env", "fps"))
    _take_robot(draft)
    _take_task(draft)
    _take_lead(draft)
    _take_rate(draft)
    _take_device(draft)
    _take_gripper(draft)
    _take_frame(draft)
    _take_bounds(draft)
    _take_classifier(draft)


def _take_robot(draft: Draft) -> None:
    """A real arm with port and name; what the ready configuration has for the simulated one is taken out."""
    kind, named = draft.get(*ROBOT, "type"), [draft.get(*ROBOT, key) for key in ("port", "id")]
    if kind not in REAL_ARMS or not all(isinstance(text, str) and text for text in named):
        return
    for key in ("type", "port", "id", "calibration_dir"):
        draft.take((*ROBOT, key), (*ROBOT, key))
    if draft.get(*ROBOT, "use_degrees") is not False:
        draft.take((*ROBOT, "use_degrees"), (*ROBOT, "use_degrees"))
    for key in "pid":
        draft.take((*ROBOT, f"position_{key}_coefficient"), (*ROBOT, "servo", key))
    parked = "the arm is parked before its torque goes off"
    draft.say((*ROBOT, "disable_torque_on_disconnect"), Fate.DERIVED, parked)
    draft.say(
        (*ROBOT, "num_read_retries"),
        Fate.DERIVED,
        "a servo that misses a reply is asked again 50 times a second",
    )
    for key in FOR_THE_SIMULATOR:
        draft.drop((*ROBOT, key))
    draft.put(("operator", "scripted"), False)
    draft.put(("operator", "lost"), "hold")


def _take_task(draft: Draft) -> None:
    path, task = ("env", "task"), draft.get("env", "task")
    if task in TASKS:
        draft.take(path, path)
    else:
        here = next(
            (one for one in TASKS if isinstance(task, str) and one.partition("_")[0] in task.lower()), None
        )
        if here is not None:
            draft.put(path, here)
        draft.say(
            path,
            Fate.DERIVED,
            f'the simulated task is "{draft.table["env"]["task"]}"; words go to dataset.task',
        )
    draft.say(("env", "name"), Fate.DERIVED, "env.robot.type says which arm")


def _take_lead(draft: Draft) -> None:
    path = ("env", "robot", "max_relative_target")
    given = draft.get(*path)
    if isinstance(given, dict) and given:
        draft.put(path, {})
        for motor in given:
            draft.put((*path, motor), given[motor])
            draft.say((*path, motor), Fate.TAKEN, ".".join((*path, motor)), (*path, motor))
    else:
        draft.take(path, path)


def _take_rate(draft: Draft) -> None:
    """The arm's own loop must be twice as fast as the environment."""
    fps, loop = draft.table["env"]["fps"], draft.table["env"]["robot"]["loop_hz"]
    if isinstance(fps, int | float):
        draft.put(("env", "robot", "loop_hz"), max(loop, 2 * fps))


def _take_device(draft: Draft) -> None:
    path = ("env", "teleop", "type")
    device = draft.get(*path)
    named = all(isinstance(draft.get("env", "teleop", key), str) for key in ("port", "id"))
    if device in ("keyboard", "keyboard_ee"):
        draft.say(path, Fate.TAKEN, 'env.teleop.type = "keyboard"')
    elif device == "gamepad":
        draft.take(path, path)
        fallback = ("env", "teleop", "hidapi_fallback")
        draft.say(fallback, Fate.DERIVED, "a gamepad is always read through hidapi")
    elif device in LEADERS and named:
        draft.take(path, path, _take_joints(draft) if draft.get(*KINEMATICS) is None else "")
        for key in ("port", "id", "calibration_dir"):
            draft.take((*path[:-1], key), (*path[:-1], key))
        draft.say((*path[:-1], "use_degrees"), Fate.DERIVED, "joints are always in degrees")
    mine, theirs = draft.get("env", "teleop", "use_gripper"), draft.get(*GRIPPER, "use_gripper")
    target = (*GRIPPER, "use_gripper")
    if theirs is None:
        draft.take((*path[:-1], "use_gripper"), target)
    elif mine in (None, theirs):
        draft.say(
            (*path[:-1], "use_gripper"), Fate.DERIVED, "env.processor.gripper.use_gripper says the same"
        )
    else:
        said = f"it contradicts env.processor.gripper.use_gripper = {str(theirs).lower()}, which counts"
        draft.say((*path[:-1], "use_gripper"), Fate.DERIVED, said)


def _take_joints(draft: Draft) -> str:
    """A leader without inverse kinematics leads joint by joint: there in positions, here in steps. Says so."""
    env = draft.table["env"]
    speed_deg_s = env["robot"].get("speed_limit_deg_s", _default(RobotConfig, "speed_limit_deg_s"))
    step_deg = _default(ProcessorConfig, "joint_step_deg")
    most_deg = round(speed_deg_s / env["fps"] - 5e-4, 3) if isinstance(env["fps"], int | float) else step_deg
    draft.put((*PROCESSOR, "action_space"), "joints")
    draft.put((*PROCESSOR, "joint_step_deg"), min(step_deg, most_deg))
    return 'no inverse_kinematics: actions are steps of the joints, env.processor.action_space = "joints"'


def _default(section: type[Section], key: str) -> Any:
    return next(field.default for field in msgspec.structs.fields(section) if field.name == key)


def _take_gripper(draft: Draft) -> None:
    """null for the opening turns LeRobot's penalty off."""
    if not draft.has(*OPENING) or draft.get(*OPENING) is not None:
        return
    penalty = (*GRIPPER, "gripper_penalty")
    draft.drop(OPENING)
    draft.put(penalty, 0.0)
    draft.say(
        OPENING, Fate.DERIVED, "null turns the penalty off: gripper_penalty = 0.0; opening as without the key"
    )
    draft.say(penalty, Fate.DEAD, "there is no penalty where max_gripper_pos is null")


def _take_frame(draft: Draft) -> None:
    """A URDF that is there with a frame it has; else the arm that comes along with its own tool frame."""
    urdf, frame = (*KINEMATICS, "urdf_path"), (*KINEMATICS, "target_frame_name")
    path, name = draft.get(*urdf), draft.get(*frame)
    own = InverseKinematicsConfig.__struct_defaults__
    links = _links(path) if isinstance(path, str) else None
    if isinstance(path, str) and links is None:
        draft.say(urdf, Fate.NO_COUNTERPART, "no such URDF here: the one that comes along is used")
    else:
        draft.take(urdf, urdf)
    if links is not None and isinstance(name, str) and name not in links:
        draft.say(frame, Fate.NO_COUNTERPART, f"that URDF has no such frame, only {', '.join(links)}")
    elif links is None and isinstance(path, str) and name not in (None, *own):
        own_frame = "it belongs to that URDF: the tool frame of the one that comes along is used"
        draft.say(frame, Fate.NO_COUNTERPART, own_frame)
    else:
        draft.take(frame, frame)


def _take_bounds(draft: Draft) -> None:
    """A box round a real table may keep the simulated arm from its cube, which is told."""
    for corner, inside in (("min", min), ("max", max)):
        path = (*KINEMATICS, "end_effector_bounds", corner)
        given, ready = draft.get(*path), at(draft.table, *path)
        numbers = isinstance(given, list) and all(isinstance(one, int | float) for one in given)
        cut = [
            f"{axis} {mine:g}, not {here:g}"
            for axis, mine, here in zip("xyz", given if numbers else (), ready, strict=False)
            if inside(mine, here) != mine
        ]
        reach = f"the simulated arm needs more to get its cube wherever it lies: {', '.join(cut)}"
        draft.take(path, path, reach if cut else "")


def _links(path: str) -> list[str] | None:
    """Names of a URDF's links, None when there is no such file or it is none."""
    try:
        root = ElementTree.parse(Path(path)).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    return [link.get("name", "") for link in root.iter("link")] if root.tag == "robot" else None


def _take_classifier(draft: Draft) -> None:
    """The simulator's verdict stands in for a classifier's."""
    given: Any = draft.get(*CLASSIFIER)
    path = (*CLASSIFIER, "pretrained_path")
    if not isinstance(given, dict):
        draft.say(CLASSIFIER, Fate.DEFAULT, "no classifier")
    elif given.get("pretrained_path") is None:
        draft.say(path, Fate.DEFAULT, "no classifier")
        draft.say_all(draft.below(*CLASSIFIER), Fate.DEAD, "nothing without pretrained_path")
    else:
        draft.put(path, SIMULATED)
        draft.say(
            path, Fate.NO_COUNTERPART, f'classifiers cannot be loaded yet: "{SIMULATED}" asks the simulator'
        )
