"""The simulated task in one process: the robot worker's controller, physics and renderer, as fast as they go."""

import msgspec
import numpy as np

from workers.actor.environment import ArmEnv, TaskState
from workers.camera.drivers.sim import SimRenderer
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.processors.build import processor_settings
from workers.processors.transition import Picture
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController, JointTarget
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import SimArm
from workers.robot.figures import Floats
from workers.robot.gate import ToolPosition


class InProcessArm:
    """ArmPort over the simulator in this process; a period passes when someone waits for it.

    Raises RendererUnavailable when the configuration has cameras and the machine no EGL, ValueError when the
    cameras differ in size.
    """

    def __init__(self, config: Config, tool: ToolPosition) -> None:
        self._arm = SimArm(np.array(config.env.reset_pose))
        self.picture_shapes = {
            name: (camera.height, camera.width) for name, camera in config.env.cameras.items()
        }
        self._renderer = _renderer(self.picture_shapes)
        self._tick_s, period_s = 1.0 / config.env.arm.loop_hz, 1.0 / config.env.fps
        self._ticks_per_period = round(period_s / self._tick_s)
        self._controller = ArmController(self._arm, limits_of(config), tool, self._tick_s, period_s)
        self._ticks = 0
        self._target: JointTarget | None = None

    def reset(self, seed: int) -> None:
        self._arm.reset(np.random.default_rng(seed))
        self._controller.restart()
        self._controller.engage()
        self._ticks, self._target = 0, None

    def read(self) -> ArmReading:
        return self._arm.read()

    def frames(self) -> dict[str, Picture]:
        return {} if self._renderer is None else self._renderer.render(self._arm.scene())

    def task_state(self) -> TaskState:
        return TaskState(self._arm.success(), self._arm.cube_position_m())

    def send(self, target_deg: Floats) -> None:
        sequence = 0 if self._target is None else self._target.sequence + 1
        self._target = JointTarget(target_deg, self._ticks * self._tick_s, sequence)

    def wait_period(self) -> None:
        for _ in range(self._ticks_per_period):
            self._controller.tick(self._target, self._ticks * self._tick_s)
            self._arm.advance(self._tick_s)
            self._ticks += 1

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


def _renderer(shapes: dict[str, tuple[int, int]]) -> SimRenderer | None:
    if not shapes:
        return None
    if len(set(shapes.values())) > 1:
        raise ValueError(f"in one process all cameras are rendered at one size, not {shapes}")
    height, width = next(iter(shapes.values()))
    return SimRenderer(tuple(shapes), width, height)


def sim_env(config: Config, render_mode: str | None = None) -> tuple[ArmEnv, InProcessArm]:
    """The environment that a configuration describes, and the port its periods pass in."""
    kinematics = kinematics_of(config)
    port = InProcessArm(config, kinematics)
    return ArmEnv(port, processor_settings(config), kinematics, render_mode), port


def make_pick_lift(render_mode: str | None = None) -> ArmEnv:
    """`hilserl/SO101PickLift-v0`, as `configs/sim_pick_lift.toml` has it."""
    return sim_env(load(ready_config()), render_mode)[0]


def without_cameras(config: Config) -> Config:
    """The same task with the state of the arm alone, for what needs no pictures."""
    robot = msgspec.structs.replace(config.env.arm, cameras={})
    return msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, robot=robot))
