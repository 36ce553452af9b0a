"""The simulated task in one process: controller, physics and renderer, as fast as they go."""

from collections.abc import Sequence

import numpy as np

from workers.actor.environment import ArmEnv, TaskState
from workers.camera.drivers.sim import SimRenderer
from workers.processors.settings import ProcessorSettings
from workers.processors.transition import Picture
from workers.robot.controller import ArmController, JointTarget
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import SimArm
from workers.robot.figures import Floats
from workers.robot.gate import EndEffectorBox, Limits
from workers.robot.kinematics import Kinematics

JOINT_MARGIN_DEG = 1.0
TICK_S = 0.02
TICKS_PER_PERIOD = 5
PICTURE_SIZE = (128, 128)  # height, width


def sim_limits(settings: ProcessorSettings) -> Limits:
    """Gate limits that let the simulated arm take a 2 cm step in every axis within a period."""
    # The policy's box is clipped by the inverse kinematics; the gate's is a little larger, so that servo sag
    # and joint-wise interpolation between two points inside do not count as leaving it.
    slack_m = 0.01
    box = EndEffectorBox(
        np.array(settings.end_effector_min_m) - slack_m, np.array(settings.end_effector_max_m) + slack_m
    )
    return Limits.of(
        margin_deg=JOINT_MARGIN_DEG,
        speed_limit_deg_s=120.0,
        acceleration_limit_deg_s2=2000.0,
        lead_limit_deg=5.0,
        box=box,
        gripper_speed_pct_s=200.0,
    )


class InProcessArm:
    """ArmPort over the simulator in this process; a period passes when someone waits for it."""

    def __init__(self, cameras: Sequence[str], limits: Limits, kinematics: Kinematics) -> None:
        self._arm = SimArm()
        self._cameras = tuple(cameras)
        height, width = PICTURE_SIZE
        self._renderer = SimRenderer(cameras, width, height) if cameras else None
        period_s = TICK_S * TICKS_PER_PERIOD
        self._controller = ArmController(self._arm, limits, kinematics, TICK_S, period_s)
        self._ticks = 0
        self._target: JointTarget | None = None

    @property
    def picture_shapes(self) -> dict[str, tuple[int, int]]:
        return dict.fromkeys(self._cameras, PICTURE_SIZE)

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
        self._target = JointTarget(target_deg, self._ticks * TICK_S, sequence)

    def wait_period(self) -> None:
        for _ in range(TICKS_PER_PERIOD):
            self._controller.tick(self._target, self._ticks * TICK_S)
            self._arm.advance(TICK_S)
            self._ticks += 1

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


def make_pick_lift(
    cameras: Sequence[str] = ("front", "side"),
    settings: ProcessorSettings | None = None,
    render_mode: str | None = None,
) -> ArmEnv:
    """`hilserl/SO101PickLift-v0`. Raises RendererUnavailable when there are cameras but no EGL."""
    settings = settings or ProcessorSettings()
    kinematics = Kinematics(JOINT_MARGIN_DEG)
    return ArmEnv(InProcessArm(cameras, sim_limits(settings), kinematics), settings, kinematics, render_mode)
