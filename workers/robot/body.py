"""What a robot worker drives: an arm, how it comes to where an episode starts, and what becomes of it at the end.

`SimulatedBody` is the simulator's; `workers.robot.servo_body` has the one of real servos.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.config import Config
from workers.robot.controller import ArmController, JointTarget, Status
from workers.robot.drivers import ArmDriver, ArmGone
from workers.robot.figures import Floats
from workers.robot.gate import Limits, ToolPosition
from workers.robot.start import StartPoses
from workers.robot.tasks import TaskState
from workers.runtime.shared import Record

StateRecord = NDArray[Any]  # an ARM_STATE


class Body(Protocol):
    """An arm of some kind, for the robot worker's loop."""

    park_speed_deg_s: float
    park_within_s: float  # the way to the rest pose is hurried to take no longer than this
    park_limit_s: float  # where it takes longer, the arm holds
    rest_pose: Floats  # [6]

    @property
    def arm(self) -> ArmDriver: ...

    @property
    def fault(self) -> str:
        """Why the arm is stopped until somebody acknowledges, "" while nothing is wrong."""

    @property
    def waits(self) -> str:
        """Why the arm must not be moved now, "" when it may. Ends by itself or by a person's word."""

    @property
    def unconfirmed(self) -> bool:
        """Whether what it waits for is the word of a person that it may move at all."""

    def heed(self, word: Record, controller: ArmController) -> None:
        """Take what the station says, a STATION_WORD."""

    def start_pose(self, seed: int) -> Floats | None:
        """Where the episode with `seed` starts [6], and the gate shall bring the arm; None: it is there now."""

    def tick(self, controller: ArmController, target: JointTarget | None, now_s: float) -> Status:
        """One period of the arm. Never raises for what the arm does."""

    def lose(self, gone: ArmGone, controller: ArmController) -> Status:
        """The arm did not answer outside of `tick`: stop, and look for it from now on."""

    def publish(self, state: StateRecord) -> None:
        """Fill in what only this kind of arm knows, in an ARM_STATE."""

    def pass_time(self) -> None:
        """A period is over."""

    def end(self) -> str:
        """The run is over: why the arm is not to be parked, "" when it is. A fault that does not lie in its way is
        nothing to wait for any more."""

    def leave(self, status: Status) -> None:
        """After the last tick of parking, with its status: take the torque off, or say that it stays on."""


class SimulatedArm(ArmDriver, Protocol):
    """What the worker needs of the simulator beyond a driver."""

    def reset(self, seed: int, start_deg: Floats | None = None) -> None: ...
    def advance(self, dt_s: float) -> None: ...
    def scene(self) -> Floats: ...
    def tool_position_m(self) -> Floats: ...
    def task_state(self) -> TaskState: ...


class SimulatedBody:
    """The simulator: a reset jumps, time passes when it is told to, and nothing breaks or needs torque."""

    park_speed_deg_s = 25.0
    park_within_s = (
        2.0  # with its beginning and its end that makes less than the limit from any pose in the box
    )
    park_limit_s = 2.5  # the station kills a worker 3 s after it asked it to quit
    fault = waits = ""
    unconfirmed = False

    def __init__(self, arm: SimulatedArm, config: Config, limits: Limits, tool: ToolPosition) -> None:
        self.arm = arm
        self.rest_pose = np.array(config.env.reset_pose)
        self._starts = StartPoses(config, limits, tool)
        self._tick_s = 1.0 / config.env.arm.loop_hz
        self._look_seed = 0

    def heed(self, word: Record, controller: ArmController) -> None:
        """A simulated arm has no fault to acknowledge and no torque to take off."""

    def start_pose(self, seed: int) -> None:
        self.arm.reset(seed, self._starts.draw(seed))
        self._look_seed = seed

    def tick(self, controller: ArmController, target: JointTarget | None, now_s: float) -> Status:
        return controller.tick(target, now_s)

    def lose(self, gone: ArmGone, controller: ArmController) -> Status:
        raise gone  # never of a simulator

    def publish(self, state: StateRecord) -> None:
        """The task, and what camera workers draw."""
        task = self.arm.task_state()
        state["success"], state["progress"], state["reward"] = task.success, task.progress, task.reward
        state["object_m"], state["goal_m"] = task.object_position_m, task.goal_position_m
        state["scene"] = self.arm.scene()
        state["look_seed"] = self._look_seed

    def pass_time(self) -> None:
        self.arm.advance(self._tick_s)

    def end(self) -> str:
        return ""

    def leave(self, status: Status) -> None:
        """There is no torque to take off."""
