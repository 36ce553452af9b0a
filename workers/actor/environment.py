"""The environment: arm behind a port, pipelines in between, Gymnasium in front.

`step` is `begin_step` (send the action's joint target), any number of `nudge`s (a person's key presses, each
taking effect at once) and `finish_step` (when the period is over: observe, reward, end of episode). The
real-time actor calls the three; everything else calls `step`.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces

from workers.processors.pipeline import build_action_pipeline, build_environment_pipeline, state_size
from workers.processors.scaling import STATE_LIMIT
from workers.processors.settings import ProcessorSettings
from workers.processors.transition import Action, Command, Judgement, Picture, Transition
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics

Observation = dict[str, np.ndarray[Any, Any]]


class ArmUnavailable(Exception):
    """Arm or camera gives nothing fresh, or the stop is latched; the text says which. The episode cannot go on."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """What the task itself can tell. A real arm knows neither; there a person or a classifier judges."""

    success: bool = False
    cube_position_m: Floats | None = None  # [3], simulator ground truth for the scripted operator only


class ArmPort(Protocol):
    """Arm and cameras as the environment sees them: in process, or others over shared memory."""

    @property
    def picture_shapes(self) -> dict[str, tuple[int, int]]:
        """(height, width) of each camera's raw picture, in the observation's order."""
        ...

    def reset(self, seed: int) -> None:
        """Bring arm and scene to the start of an episode; return when it rests and pictures are fresh."""
        ...

    def read(self) -> ArmReading:
        """Newest joint reading."""
        ...

    def frames(self) -> dict[str, Picture]:
        """Newest picture of each camera, uint8 [H, W, 3]."""
        ...

    def task_state(self) -> TaskState:
        """The task's own verdict, now."""
        ...

    def send(self, target_deg: Floats) -> None:
        """Make `target_deg` [6] the joint target, at once; it passes the safety gate on the other side."""
        ...

    def wait_period(self) -> None:
        """Return at the end of the running actor period."""
        ...

    def close(self) -> None:
        """Let go of the arm."""
        ...


class ArmEnv(gymnasium.Env[Observation, Action]):
    """One arm, one task.

    Observation: `observation.state` float32 [N], `observation.images.<camera>` uint8 [H, W, 3].
    Action: float32 [4]: dx, dy, dz in [-1, 1] times the step sizes; gripper 0 close, 1 stay, 2 open.
    Reward 1 and `terminated` at success. Info: `executed_action`, `discrete_penalty`, `is_success`,
    `is_intervention`, `gripper_pct`, `ee_position_m`, `ee_target_m`, and in simulation `cube_position_m`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        port: ArmPort,
        settings: ProcessorSettings,
        kinematics: Kinematics,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = render_mode
        self._port, self._settings = port, settings
        self._kinematics = kinematics
        self._observing = build_environment_pipeline(settings, kinematics)
        self._acting = build_action_pipeline(settings, kinematics)
        self._reading: ArmReading | None = None
        self._judgement: Judgement | None = None
        self._frames: dict[str, Picture] = {}
        self.camera_names = tuple(port.picture_shapes)
        self.step_limit = settings.max_episode_steps
        self.action_space = spaces.Box(
            np.array([-1, -1, -1, 0], np.float32), np.array([1, 1, 1, 2], np.float32), dtype=np.float32
        )
        observed: dict[str, spaces.Space[Any]] = {
            "observation.state": spaces.Box(-STATE_LIMIT, STATE_LIMIT, (state_size(settings),), np.float32)
        }
        for camera, shape in port.picture_shapes.items():
            key = f"observation.images.{camera}"
            crop = settings.crop_params_dict.get(key)
            size = settings.resize_size or (crop[2:] if crop else shape)
            observed[key] = spaces.Box(0, 255, (*size, 3), np.uint8)
        self.observation_space = spaces.Dict(observed)  # type: ignore[assignment]  # a dict of arrays is one

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; the same seed gives the same scene."""
        super().reset(seed=seed)
        self._port.reset(int(self.np_random.integers(2**31)))
        reading = self._port.read()
        self._acting.reset(reading)
        self._observing.reset()
        self._judgement = None
        transition = self._observe(reading)
        return transition.observation, transition.info

    def begin_step(self, action: Action, human_action: Action | None = None) -> None:
        """Start a period with the policy's action; a human action replaces it and marks an intervention."""
        if self._reading is None:
            raise gymnasium.error.ResetNeeded("call reset() before the first step")
        self._acting.begin_period(self._reading)
        self._apply(Command(np.asarray(action, np.float32), human_action))

    def nudge(self, action: Action) -> None:
        """A person's partial action [4], now, in the middle of the period. Marks an intervention."""
        self._apply(Command(action, human=np.asarray(action, np.float32)))

    def judge(self, judgement: Judgement) -> None:
        """A person's verdict; takes effect when the running step finishes."""
        self._judgement = judgement

    def finish_step(self) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Observe the outcome of the period; call when it is over."""
        transition = self._observe(self._port.read())
        info = transition.info
        return transition.observation, transition.reward, transition.terminated, transition.truncated, info

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One whole period."""
        self.begin_step(action)
        self._port.wait_period()
        return self.finish_step()

    def render(self) -> Picture | None:
        """The latest raw pictures side by side, uint8 [H, W * cameras, 3]."""
        if self.render_mode != "rgb_array" or not self._frames:
            return None
        return np.concatenate(list(self._frames.values()), axis=1)

    def close(self) -> None:
        """Let go of the arm."""
        self._port.close()

    def _apply(self, command: Command) -> None:
        self._port.send(self._acting.apply(command).goal_deg.copy())

    def _observe(self, reading: ArmReading) -> Transition:
        self._reading, self._frames = reading, self._port.frames()
        period = self._acting.period
        transition = Transition(reading, self._frames, period)
        self._reward(transition)
        transition.info["executed_action"] = period.executed.copy()
        transition.info["is_intervention"] = period.is_intervention
        transition.info["ee_target_m"] = self._acting.target_m
        transition.info["ee_position_m"] = self._kinematics.position(reading.joints_deg)
        transition.info["captured_s"] = reading.stamp_s
        transition.info["gripper_pct"] = float(reading.joints_deg[GRIPPER])
        self._observing(transition)
        return transition

    def _reward(self, transition: Transition) -> None:
        """Reward 1 and the end of the episode at success; a person's verdict overrules the task's."""
        task = self._port.task_state()
        if task.cube_position_m is not None:
            transition.info["cube_position_m"] = task.cube_position_m
        success = task.success if self._judgement is None else self._judgement is Judgement.SUCCESS
        transition.info["is_success"] = success
        transition.reward = float(success)
        ended = success and self._settings.terminate_on_success
        transition.terminated = ended or self._judgement is Judgement.FAILURE
        self._judgement = None
