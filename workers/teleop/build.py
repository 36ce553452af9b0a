"""From the configuration to the scripted person of its task."""

import numpy as np

from workers.config import Config, EnvConfig
from workers.config.survey import FIND_LIMITS
from workers.teleop.scripted_operator import ScriptedOperator
from workers.teleop.scripts import Hand, Script, clumsy_of, script_of
from workers.teleop.scripts.panda_pick_cube import ENVIRONMENT, STEP_SIZES_M, PandaPickCubeScript
from workers.teleop.scripts.wave import WaveScript

SCRIPT_NOISE = 0.15  # what a hand adds to a command, in action units


def scripted_operator_of(config: Config, rng: np.random.Generator) -> ScriptedOperator | None:
    """The scripted person, whose hand and moods draw from `rng`; None for an environment that has none."""
    patience_steps, failures = config.operator.patience_steps, config.operator.failures
    gymnasium = config.env.type == "gymnasium"
    if config.mode == FIND_LIMITS:
        script: Script | None = WaveScript(_hand(config.env, rng), config.env.task)
    else:
        script = _gymnasium_script(config.env, rng) if gymnasium else _arm_script(config.env, rng)
    if script is None:
        return None
    clumsy = clumsy_of(config.env.task, _hand(config.env, rng), rng) if failures else None
    return ScriptedOperator(patience_steps, script, rng, clumsy, failures)


def _arm_script(env: EnvConfig, rng: np.random.Generator) -> Script:
    steps = env.workspace.end_effector_step_sizes
    return script_of(
        env.task,
        (steps.x, steps.y, steps.z),
        env.processor.max_gripper_pos,
        SCRIPT_NOISE,
        rng,
        env.processor.gripper.use_gripper,
    )


def _hand(env: EnvConfig, rng: np.random.Generator) -> Hand:
    steps, processor = env.workspace.end_effector_step_sizes, env.processor
    sizes = (steps.x, steps.y, steps.z)
    return Hand(sizes, processor.max_gripper_pos, SCRIPT_NOISE, rng, processor.gripper.use_gripper)


def _gymnasium_script(env: EnvConfig, rng: np.random.Generator) -> Script | None:
    name = (env.id or "").rpartition(":")[2]  # without the module that may stand before it
    if name != ENVIRONMENT:
        return None
    return PandaPickCubeScript(
        Hand(STEP_SIZES_M, 100.0, SCRIPT_NOISE, rng, env.processor.gripper.use_gripper)
    )
