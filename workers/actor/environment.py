"""The environment: arm behind a port, pipelines in between, Gymnasium in front.

`step` is `begin_step` (send the action's joint target), any number of `nudge`s (a person's key presses, each
taking effect at once) and `finish_step` (when the period is over: observe, reward, end of episode). The
real-time actor calls the three; everything else calls `step`.
"""

from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces
from msgspec.structs import replace

from workers.config import Config, EnvConfig
from workers.processors.build import Pipelines, arm_pipelines
from workers.processors.errors import ProcessorError
from workers.processors.features import IMAGES, STATE, Feature
from workers.processors.scaling import STATE_LIMIT
from workers.processors.time_limit import max_steps
from workers.processors.transition import Action, Command, Judgement, Picture, Teleop, Transition
from workers.processors.vanilla_observation import AGENT, PIXELS
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics
from workers.robot.tasks import TaskState
from workers.transport.record import FeatureSpec

Observation = dict[str, np.ndarray[Any, Any]]


class ArmUnavailable(Exception):
    """Arm or camera gives nothing fresh, or the stop is latched; the text says which. The episode cannot go on."""


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


class InterventionEnv(Protocol):
    """An environment whose steps have a middle, in which a person can take part; `ArmEnv` and `GymEnv` are two.

    `step` is begin_step, any number of nudges and halts, finish_step. Info of an observation: `executed_action`,
    `is_intervention`, `is_success`, `captured_s`, `policy_input`, with a gripper `discrete_penalty`.
    """

    pipelines: Pipelines
    features: FeatureSpec
    person: FeatureSpec
    """What keys, pads and scripts say, which may be directions of space where actions are joints."""
    step_limit: int
    moves_at_once: bool
    """Whether something moves in the middle of a step, which a halt can stop; else all of it happens at its end."""

    def change(self, env: EnvConfig) -> None:
        """Other settings, from the next step on."""

    def rest(self, seed: int) -> None: ...
    def reset(self, *, seed: int | None = None) -> tuple[Observation, dict[str, Any]]: ...
    def begin_step(self, action: Action, human_action: Action | None = None) -> None: ...
    def nudge(self, action: Action) -> None: ...
    def halt(self) -> dict[str, Any]: ...
    def judge(self, judgement: Judgement) -> None: ...
    def finish_step(self) -> tuple[Observation, float, bool, bool, dict[str, Any]]: ...
    def look(self) -> tuple[Observation, dict[str, Any]]:
        """Observe again while nothing is done; no step is taken by it."""
        ...


class ArmEnv(gymnasium.Env[Observation, Action]):
    """One arm, one task.

    Observation: `observation.state` float32 [N], `observation.images.<camera>` uint8 [H, W, 3].
    Action: float32 [4]: dx, dy, dz in [-1, 1] times the step sizes; gripper 0 close, 1 stay, 2 open; [3] without
    `use_gripper`. Reward and end of the episode by the task, the reward classifier or the person, who always wins.
    Info: `executed_action`, `discrete_penalty`, `is_success`, `is_intervention`, `gripper_pct`, `ee_position_m`,
    `ee_target_m`, `goal_deg`, `policy_input`, and in simulation what `TaskState` knows.
    Raises ArmUnavailable where the arm, a camera or what they measure cannot be used.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    moves_at_once = True

    def __init__(
        self,
        port: ArmPort,
        pipelines: Pipelines,
        kinematics: Kinematics,
        terminate_on_success: bool = True,
        judged_by_classifier: bool = False,
        render_mode: str | None = None,
    ) -> None:
        """`judged_by_classifier`: the task's own verdict is for the simulated classifier only."""
        self.render_mode = render_mode
        self.pipelines = pipelines
        self.features = pipelines.spec()
        self.person = replace(self.features, motion_dim=3)
        self.step_limit = pipelines.step_limit
        self._port = port
        self._kinematics = kinematics
        self._observing, self._acting = pipelines.environment, pipelines.action
        self._terminate_on_success, self._by_classifier = terminate_on_success, judged_by_classifier
        self._reading: ArmReading | None = None
        self._frames: dict[str, Picture] = {}
        self._changed: EnvConfig | None = None
        low, high = [-1.0] * self.features.motion_dim, [1.0] * self.features.motion_dim
        if self.features.gripper:
            low, high = [*low, 0.0], [*high, 2.0]
        self.action_space = spaces.Box(
            np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32
        )
        observed = {
            key: _space(key, feature) for key, feature in pipelines.stored.items() if _is_observed(key)
        }
        self.observation_space = spaces.Dict(observed)  # type: ignore[assignment]  # a dict of arrays is one

    def change(self, env: EnvConfig) -> None:
        """Other settings: of the coming step, not of one that is under way."""
        self._changed = env

    def rest(self, seed: int) -> None:
        """Bring arm and scene to where the episode with this seed begins, ahead of its `reset`."""
        self._to_start(seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; the same seed gives the same scene."""
        self._take_changes()
        self._to_start(seed)
        reading = self._port.read()
        try:
            self._acting.reset(reading)
        except ProcessorError as error:
            raise ArmUnavailable(str(error)) from error
        self._observing.reset()
        transition = self._observe(reading, is_reset=True)
        return transition.observation, transition.info

    def _to_start(self, seed: int | None) -> None:
        super().reset(seed=seed)
        self._port.reset(int(self.np_random.integers(2**31)))

    def begin_step(self, action: Action, human_action: Action | None = None) -> None:
        """Start a period with the policy's action; a human action replaces it and marks an intervention."""
        if self._reading is None:
            raise gymnasium.error.ResetNeeded("call reset() before the first step")
        self._take_changes()
        self._acting.begin_period()
        human = None if human_action is None else Teleop(self._acting.own(human_action))
        self._apply(self._acting.own(np.asarray(action, np.float32)), human)

    def nudge(self, action: Action) -> None:
        """A person's partial action, now, in the middle of the period. Marks an intervention."""
        own = self._acting.own(np.asarray(action, np.float32))
        self._apply(own, Teleop(own))

    def halt(self) -> dict[str, Any]:
        """Stop the arm where the gate's goal is now; what is left of the action is void.

        Returns what of the last observation's info is another since: `ee_target_m`, `goal_deg`.
        """
        self._acting.halt(self._port.read())
        goal_deg = self._acting.period.goal_deg
        self._port.send(goal_deg.copy())
        return {"ee_target_m": self._acting.target_m, "goal_deg": goal_deg.copy()}

    def lead(self, leader_deg: Floats) -> None:
        """For the rest of the period the arm takes on the posture `leader_deg` [6] of another, as fast as it may."""
        self._port.send(self._acting.lead(leader_deg).goal_deg.copy())

    def judge(self, judgement: Judgement) -> None:
        """A person's verdict; takes effect when the running step finishes."""
        self._acting.judge(judgement)

    def finish_step(self) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Observe the outcome of the period; call when it is over."""
        transition = self._observe(self._port.read())
        info = transition.info
        return transition.observation, transition.reward, transition.terminated, transition.truncated, info

    def look(self) -> tuple[Observation, dict[str, Any]]:
        """Observe again while the arm holds; no step is taken by it."""
        transition = self._observe(self._port.read(), is_reset=True)
        return transition.observation, transition.info

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

    def _take_changes(self) -> None:
        if self._changed is not None:
            self._observing.change(self._changed)
            self.step_limit = max_steps(self._changed)
            self._changed = None

    def _apply(self, action: Action, teleop: Teleop | None) -> None:
        self._port.send(self._acting.apply(Command(action, teleop, self._reading)).goal_deg.copy())

    def _observe(self, reading: ArmReading, is_reset: bool = False) -> Transition:
        self._frames = self._port.frames()
        raw = {AGENT: reading.joints_deg, PIXELS: self._frames}
        transition = Transition(raw, self._acting.period, reading, is_reset)
        info = transition.info
        info["executed_action"] = self._acting.executed(self._reading, reading)
        info["is_intervention"] = transition.period.is_intervention
        info["ee_target_m"] = self._acting.target_m
        info["goal_deg"] = transition.period.goal_deg.copy()
        info["ee_position_m"] = self._kinematics.position(reading.joints_deg)
        info["captured_s"] = reading.stamp_s
        info["gripper_pct"] = float(reading.joints_deg[GRIPPER])
        self._outcome(transition)
        try:
            self._observing(transition)
        except ProcessorError as error:
            raise ArmUnavailable(str(error)) from error
        info["policy_input"] = transition.policy_input
        self._reading = reading
        return transition

    def _outcome(self, transition: Transition) -> None:
        """Reward and end by the task; a person's verdict overrules it."""
        task, judgement, info = self._port.task_state(), transition.period.judgement, transition.info
        info["task_success"] = task.success
        if task.object_position_m is not None and task.goal_position_m is not None:
            info["object_position_m"], info["goal_position_m"] = task.object_position_m, task.goal_position_m
        success = task.success and not self._by_classifier
        transition.reward = 0.0 if self._by_classifier else task.reward
        if judgement is not None:
            success = judgement is Judgement.SUCCESS
            transition.reward = float(success)
            info["decided_by"] = "person"
        elif success:
            info["decided_by"] = "task"
        info["is_success"] = success
        ended = success and self._terminate_on_success
        transition.terminated = ended or judgement in (Judgement.FAILURE, Judgement.RERECORD)


def arm_env(
    config: Config,
    port: ArmPort,
    kinematics: Kinematics,
    device: str | None = None,
    render_mode: str | None = None,
) -> ArmEnv:
    """The environment that a configuration describes, over an arm; with a `device`, for a policy there."""
    processor = config.env.processor
    return ArmEnv(
        port,
        arm_pipelines(config, kinematics, device),
        kinematics,
        processor.reset.terminate_on_success,
        processor.judged_by_classifier,
        render_mode,
    )


def _is_observed(key: str) -> bool:
    return key == STATE or key.startswith(IMAGES)


def _space(key: str, feature: Feature) -> spaces.Space[Any]:
    if key == STATE:
        return spaces.Box(-STATE_LIMIT, STATE_LIMIT, feature.shape, np.float32)
    return spaces.Box(0, 255, feature.shape, np.uint8)
