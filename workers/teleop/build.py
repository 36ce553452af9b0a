"""From the configuration to the scripted person of its task."""

import numpy as np

from workers.config import Config
from workers.teleop.scripted_operator import ScriptedOperator
from workers.teleop.scripts import script_of

SCRIPT_NOISE = 0.15  # what a hand adds to a command, in action units


def scripted_operator_of(config: Config, rng: np.random.Generator) -> ScriptedOperator:
    """The scripted person; its hand and its moods draw from `rng`."""
    env = config.env
    steps = env.workspace.end_effector_step_sizes
    script = script_of(
        env.task,
        (steps.x, steps.y, steps.z),
        env.processor.max_gripper_pos,
        SCRIPT_NOISE,
        rng,
        env.processor.gripper.use_gripper,
    )
    return ScriptedOperator(config.operator.patience_steps, script, rng)
