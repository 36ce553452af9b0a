"""LeRobot's simulation: `env.name = "gym_hil"` is a registered Gymnasium environment here."""

from typing import Any

from workers.config.lerobot import names
from workers.config.lerobot.draft import Draft, Fate
from workers.config.lerobot.reading import at

BASE = "gym_hil_pick_cube"
TASK = "PandaPickCube-v0"
"""The one that has a scripted person here."""
OWN_DEVICES = ("Gamepad", "Keyboard", "Viewer", "Base")
POSE = ("env", "processor", "reset", "fixed_reset_joint_positions")
PANDA_JOINTS = 7


def is_gym_hil(source: dict[str, Any]) -> bool:
    """By its name, or in a part of a file by a pose that only gym_hil's arm can take."""
    pose = at(source, *POSE)
    return at(source, "env", "name") == "gym_hil" or (isinstance(pose, list) and len(pose) == PANDA_JOINTS)


def take_gym_hil(draft: Draft) -> None:
    """The environment by its id; what only an arm has goes."""
    _take_id(draft)
    for key in names.UNUSED_BY_GYM_HIL:
        draft.say_all(draft.below(*key.split(".")), Fate.DEAD, "its gym_hil pipelines have no such step")
    for key in names.NOT_WITH_GYMNASIUM:
        for path, value in draft.below(*key.split(".")):
            fate = Fate.DEFAULT if value is None else Fate.NO_COUNTERPART
            draft.say(path, fate, 'env.type = "gymnasium" has no such thing')


def _take_id(draft: Draft) -> None:
    given = draft.get("env", "task")
    task = given if isinstance(given, str) else TASK
    device = next((word for word in OWN_DEVICES if word in task), "")
    task = task.replace(device, "")
    draft.put(("env", "id"), f"gym_hil/{task}")
    draft.put(("env", "kwargs"), {"image_obs": True, "reset_delay_seconds": 0.0})  # as LeRobot makes it
    if task != TASK:
        draft.put(("operator", "scripted"), False)
    draft.say(("env", "name"), Fate.TAKEN, 'env.type = "gymnasium"', ("env", "type"))
    draft.say(("env", "type"), Fate.DERIVED, 'env.name = "gym_hil" makes it "gymnasium"')
    why = (
        " (the same without a window and a device of its own: the console stands in for them)"
        if device
        else ""
    )
    draft.say(("env", "task"), Fate.TAKEN, f'env.id = "gym_hil/{task}"{why}', ("env", "id"))
