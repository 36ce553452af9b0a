"""The simulated task in one process as a configuration describes it, for benchmarks and slow tests."""

from workers.actor.environment import ArmEnv
from workers.actor.sim_env import InProcessArm
from workers.config import Config
from workers.processors.build import processor_settings
from workers.robot.build import kinematics_of, limits_of


def sim_env(config: Config) -> tuple[ArmEnv, InProcessArm]:
    """The environment and the port its periods pass in."""
    kinematics = kinematics_of(config)
    port = InProcessArm(tuple(config.env.cameras), limits_of(config), kinematics)
    return ArmEnv(port, processor_settings(config), kinematics), port
