"""Run, policy, algorithm and metrics, where a key's value decides what becomes of it."""

import re

from workers.config.lerobot.draft import Draft, Fate

ENCODER = ("policy", "vision_encoder_name")
CHANNELS = ("policy", "image_encoder_hidden_dim")
GRIPPER_COMMANDS = 3
NO_DEFAULT_OF_LEROBOTS = ("fixed_reset_joint_positions", "closed_at")


def take_learning(draft: Draft) -> None:
    """What needs a decision; plain keys are left open."""
    _take_encoder(draft)
    _take_heads(draft)
    _take_always(draft)
    _take_deviation(draft)
    _take_wandb(draft)
    _take_saving(draft)


def take_name(draft: Draft, stem: str) -> None:
    """A run's name: LeRobot's job name, or that of the file."""
    given = draft.get("job_name")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", given if isinstance(given, str) and given else stem)[:64]
    draft.put(("run", "name"), name.lstrip("._-") or "imported")
    fate = Fate.TAKEN if given else Fate.DEFAULT
    draft.say(("job_name",), fate, f'run.name = "{draft.table["run"]["name"]}"', ("run", "name"))


def take_blocks(draft: Draft) -> None:
    """Blocks that the file has: what they leave out is as LeRobot's classes have it, not as in the base."""
    for block in ("observation", "gripper", "reset"):
        path = ("env", "processor", block)
        if draft.has(*path):
            before = draft.table["env"]["processor"].get(block, {})
            draft.put(path, {key: before[key] for key in NO_DEFAULT_OF_LEROBOTS if key in before})


def _take_encoder(draft: Draft) -> None:
    if draft.get(*ENCODER) is None:
        draft.say(ENCODER, Fate.DEFAULT, 'policy.vision_encoder_name = "cnn", which is trained here')
    else:
        draft.take(ENCODER, ENCODER)
    if draft.table["policy"].get(ENCODER[-1], "cnn") != "cnn":
        draft.say(CHANNELS, Fate.DEAD, "published weights have a width of their own")
        for key in ("input_downsample", "camera_fusion"):
            draft.drop(("policy", key))


def _take_heads(draft: Draft) -> None:
    """Three commands for a gripper; LeRobot says it once more."""
    path = ("policy", "num_discrete_actions")
    uses = draft.table["env"]["processor"].get("gripper", {}).get("use_gripper", True)
    wanted = GRIPPER_COMMANDS if uses else None
    if draft.get(*path) == wanted:
        draft.say(path, Fate.DERIVED, "from env.processor.gripper.use_gripper")
    else:
        counts = f"env.processor.gripper.use_gripper = {str(uses).lower()} counts"
        draft.say(path, Fate.DERIVED, f"{counts}: {wanted or 'no'} discrete actions")


def _take_always(draft: Draft) -> None:
    """Keys that have one value here."""
    always = {
        ("policy", "shared_encoder"): (True, "actor and critics share their encoder"),
        ("policy", "actor_network_kwargs", "activate_final"): (True, "every hidden layer is activated"),
        ("policy", "discrete_critic_network_kwargs", "activate_final"): (
            True,
            "every hidden layer is activated",
        ),
        ("algorithm", "discrete_critic_network_kwargs", "activate_final"): (
            True,
            "every hidden layer is activated",
        ),
        ("algorithm", "critic_network_kwargs", "activate_final"): (True, "every hidden layer is activated"),
        ("policy", "critic_network_kwargs", "activate_final"): (True, "every hidden layer is activated"),
        ("policy", "discrete_critic_network_kwargs", "final_activation"): (None, "values are not bounded"),
        ("algorithm", "discrete_critic_network_kwargs", "final_activation"): (None, "values are not bounded"),
        ("algorithm", "critic_network_kwargs", "final_activation"): (None, "values are not bounded"),
        ("policy", "critic_network_kwargs", "final_activation"): (None, "values are not bounded"),
    }
    for path, (value, why) in always.items():
        fate = Fate.DERIVED if draft.get(*path) == value else Fate.NO_COUNTERPART
        draft.say(path, fate, why)


def _take_deviation(draft: Draft) -> None:
    """Published files still have a logarithm, -5, where LeRobot has long read the deviation itself."""
    path = ("policy", "policy_kwargs", "std_min")
    given = draft.get(*path)
    if isinstance(given, int | float) and given <= 0:
        text = f"no deviation is below {given:g}: policy.policy_kwargs.std_min as without the key"
        draft.say(path, Fate.DEAD, text)


def _take_wandb(draft: Draft) -> None:
    path = ("wandb", "mode")
    if draft.get(*path) == "disabled":
        draft.say(path, Fate.TAKEN, "wandb.enable = false")
        draft.put(("wandb", "enable"), False)
        draft.say(("wandb", "enable"), Fate.DEAD, 'wandb.mode = "disabled" counts')


def _take_saving(draft: Draft) -> None:
    path = ("save_freq",)
    given = draft.get(*path)
    if isinstance(given, int) and given <= 0:
        stays = draft.table["checkpoint"]["save_freq"]
        text = f"checkpoints at the end alone: checkpoint.save_freq stays {stays}"
        draft.say(path, Fate.NO_COUNTERPART, text)
