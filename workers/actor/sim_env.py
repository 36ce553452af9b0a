"""The simulated task in one process: the robot worker's controller, physics and renderer, as fast as they go."""

from dataclasses import replace

import msgspec
import numpy as np

from workers.actor.environment import ArmEnv, arm_env
from workers.camera.build import renderer_of
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.config.simulation import SimulationConfig
from workers.processors.transition import Picture
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController, JointTarget
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import SimArm
from workers.robot.figures import Floats
from workers.robot.gate import ToolPosition
from workers.robot.start import StartPoses
from workers.robot.tasks import TaskState


class InProcessArm:
    """ArmPort over the simulator in this process; a period passes when someone waits for it.

    Raises RendererUnavailable when the configuration has cameras and the machine no EGL.
    """

    def __init__(self, config: Config, tool: ToolPosition) -> None:
        env, cameras = config.env, config.env.cameras
        self._arm = SimArm(
            np.array(env.reset_pose), env.task, env.simulation.object_area, env.simulation.reward
        )
        limits = limits_of(config)
        self._starts = StartPoses(config, limits, tool)
        self._seed = 0
        self.picture_shapes = {name: (camera.height, camera.width) for name, camera in cameras.items()}
        self._renderer = renderer_of(config, cameras) if cameras else None
        self._tick_s, period_s = 1.0 / env.arm.loop_hz, 1.0 / env.fps
        self._ticks_per_period = round(period_s / self._tick_s)
        self._controller = ArmController(self._arm, limits, tool, self._tick_s, period_s)
        self._ticks = 0
        self._clipped_ticks = 0
        self._target: JointTarget | None = None

    def reset(self, seed: int) -> None:
        self._seed = seed
        self._arm.reset(seed, self._starts.draw(seed))
        self._controller.restart()
        self._controller.engage()
        self._ticks, self._target = 0, None

    def read(self) -> ArmReading:
        return replace(self._arm.read(), clipped_ticks=self._clipped_ticks)

    def frames(self) -> dict[str, Picture]:
        return {} if self._renderer is None else self._renderer.render(self._arm.scene(), self._seed)

    def task_state(self) -> TaskState:
        return self._arm.task_state()

    def send(self, target_deg: Floats) -> None:
        sequence = 0 if self._target is None else self._target.sequence + 1
        self._target = JointTarget(target_deg, self._ticks * self._tick_s, sequence)

    def wait_period(self) -> None:
        for _ in range(self._ticks_per_period):
            status = self._controller.tick(self._target, self._ticks * self._tick_s)
            self._clipped_ticks += status.narrowed
            self._arm.advance(self._tick_s)
            self._ticks += 1

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


def sim_env(
    config: Config, render_mode: str | None = None, device: str | None = None
) -> tuple[ArmEnv, InProcessArm]:
    """The environment that a configuration describes, and the port its periods pass in.

    With a `device`, info has the policy's input there.
    """
    kinematics = kinematics_of(config)
    port = InProcessArm(config, kinematics)
    return arm_env(config, port, kinematics, device, render_mode), port


def make_sim(task: str, render_mode: str | None = None, **simulation: float | str) -> ArmEnv:
    """The registered environments: `task` as `configs/sim_<task>.toml` has it, with changes to `env.simulation`.

    Args:
        task: "reach", "push" or "pick_lift".
        simulation: keys of `env.simulation`: reward, start_pose_deg, object_area, light, camera_jitter_deg.
    Raises ValueError for a key that is not one of these, or a value out of its range.
    """
    config = load(ready_config(f"sim_{task}"))
    changed = msgspec.to_builtins(config.env.simulation) | simulation
    try:
        section = msgspec.convert(changed, SimulationConfig)
    except msgspec.ValidationError as error:
        raise ValueError(f"env.simulation: {error}") from None
    env = msgspec.structs.replace(config.env, simulation=section)
    return sim_env(msgspec.structs.replace(config, env=env), render_mode)[0]


def without_cameras(config: Config) -> Config:
    """The same task with the state of the arm alone, for what needs no pictures."""
    robot = msgspec.structs.replace(config.env.arm, cameras={})
    return msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, robot=robot))
