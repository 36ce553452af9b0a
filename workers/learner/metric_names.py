"""What our figures are called in LeRobot: its dashboards and scripts find them in wandb beside ours."""

from collections.abc import Mapping

PREFIX = "train/"
TRAINING = {
    "updates": "Optimization step",
    "updates_per_s": "Optimization frequency loop [Hz]",
    "critic_loss": "loss_critic",
    "gripper_loss": "loss_discrete_critic",
    "actor_loss": "loss_actor",
    "temperature_loss": "loss_temperature",
    "critic_grad_norm": "critic_grad_norm",  # of encoder, critics and gripper critic, which are one optimiser's here
    "actor_grad_norm": "actor_grad_norm",
    "temperature": "temperature",
    "online": "replay_buffer_size",
    "offline": "offline_replay_buffer_size",
}
"""Of the learner; their x axis is the first."""
EPISODES = {
    "env_steps": "Interaction step",
    "episode_reward": "Episodic reward",
    "intervened": "Episode intervention",
    "intervention_rate": "Intervention rate",
    "policy_hz": "Policy frequency [Hz]",
    "policy_hz_90th_p": "Policy frequency 90th-p [Hz]",
}
"""Of an episode; their x axis is the first."""
CLASSIFIER_PREFIX = "classifier/"
CLASSIFIER_AXIS = f"{CLASSIFIER_PREFIX}epoch"
"""X axis of everything that is told of a reward classifier's training, for which LeRobot has no names."""


def with_lerobots(figures: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    """`figures`, and those of them that LeRobot has under its own names."""
    theirs = {PREFIX + names[name]: value for name, value in figures.items() if name in names}
    return {**figures, **theirs}


def axes() -> dict[str, str]:
    """Name of each figure, LeRobot's where it has one -> that of its x axis; an axis itself is not among them."""
    found = {f"{CLASSIFIER_PREFIX}*": CLASSIFIER_AXIS}
    for names in (TRAINING, EPISODES):
        axis, *others = names.values()
        found |= {PREFIX + name: PREFIX + axis for name in others}
    return found
