"""LeRobot's simulation: `env.name = "gym_hil"` is a registered Gymnasium environment here."""

from workers.config.lerobot import names
from workers.config.lerobot.draft import Draft, Fate

BASE_TASK = "PandaPickCubeBase-v0"
OWN_WINDOW = ("Gamepad", "Keyboard", "Viewer")
POSE = ("env", "processor", "reset", "fixed_reset_joint_positions")
PANDA_JOINTS = 7


def is_gym_hil(draft: Draft) -> bool:
    """By its name, or in a part of a file by a pose that only gym_hil's arm can take."""
    pose = draft.get(*POSE)
    return draft.get("env", "name") == "gym_hil" or (isinstance(pose, list) and len(pose) == PANDA_JOINTS)


def take_gym_hil(draft: Draft) -> None:
    """The environment by its id; what only an arm has goes."""
    env = draft.table["env"]
    for key in ("robot", "simulation", "teleop", "task"):
        env.pop(key, None)
    for key in ("inverse_kinematics", "reward_classifier", "max_gripper_pos", "observation"):
        env["processor"].pop(key, None)
    env["processor"]["reset"].pop(POSE[-1], None)
    _take_id(draft)
    for key in names.UNUSED_BY_GYM_HIL:
        draft.say_all(draft.below(*key.split(".")), Fate.DEAD, "its gym_hil pipelines have no such step")
    for key in names.NOT_WITH_GYMNASIUM:
        draft.say_all(
            draft.below(*key.split(".")), Fate.NO_COUNTERPART, 'env.type = "gymnasium" has no such thing'
        )


def _take_id(draft: Draft) -> None:
    task = draft.get("env", "task")
    task = task if isinstance(task, str) else BASE_TASK
    window = next((word for word in OWN_WINDOW if word in task), "")
    base = task.replace(window, "Base") if window else task
    draft.put(("env", "type"), "gymnasium")
    draft.put(("env", "id"), f"gym_hil/{base}")
    draft.put(("env", "kwargs"), {"image_obs": True})  # as LeRobot makes it
    draft.say(("env", "name"), Fate.TAKEN, 'env.type = "gymnasium"', ("env", "type"))
    draft.say(("env", "type"), Fate.DERIVED, 'env.name = "gym_hil" makes it "gymnasium"')
    why = f" (without its own window and {window.lower()}: the console stands in for them)" if window else ""
    draft.say(("env", "task"), Fate.TAKEN, f'env.id = "gym_hil/{base}"{why}', ("env", "id"))
