"""GymEnv: any Gymnasium environment, with a person who can take part, between the same pipelines as an arm.

An arm moves while a period passes; here nothing does. What policy and person want of a period is gathered, and
`finish_step` takes the environment's one step.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from workers.actor.environment import ArmUnavailable, Observation
from workers.actor.gym_light import lighten
from workers.config import Config, EnvConfig
from workers.processors.build import Pipelines
from workers.processors.errors import EnvironmentRefused, ProcessorError
from workers.processors.gymnasium_build import Ends, ends_of, gymnasium_pipelines
from workers.processors.gymnasium_make import PICTURES, Environment, open_environment
from workers.processors.gymnasium_spaces import PLACE
from workers.processors.time_limit import max_steps
from workers.processors.transition import Action, Command, Judgement, Picture, Teleop, Transition
from workers.processors.vanilla_observation import PIXELS

SUCCESS_KEYS: Final = ("is_success", "succeed", "success")  # of an environment's info; the first one counts
RENDERED: Final = "render"  # the picture of an environment that observes none
Truth = Callable[[Environment], Mapping[str, Any]]


class GymEnv:
    """An `InterventionEnv` over a Gymnasium environment.

    Observation: `observation.state` float32 [N], `observation.images.<name>` uint8 [H, W, 3].
    Action: float32 [motion (+ 1)]: motion in [-1, 1], then the gripper's 0 close, 1 stay, 2 open.
    Reward and ends are the environment's own; a person's verdict makes the reward at least 1 or at most 0.
    Info: the environment's own, and what `InterventionEnv` and `truth` add.
    Raises ArmUnavailable where `trouble` names one, and for observations that cannot be used; EnvironmentRefused
    where the environment's own code fails.
    """

    moves_at_once = False

    def __init__(
        self,
        env: Environment,
        ends: Ends,
        pipelines: Pipelines,
        terminate_on_success: bool = True,
        judged_by_classifier: bool = False,
        trouble: Callable[[], str] = str,
        truth: Truth | None = None,
    ) -> None:
        """`trouble` says why no step may be taken, "" when it may; `truth` what the scripted person sees."""
        self.pipelines = pipelines
        self.features = self.person = pipelines.spec()
        self.step_limit = pipelines.step_limit
        self.on_observation: Callable[[], object] = _nothing
        """Called when there is something new to see."""
        self._env, self._ends = env, ends
        self._observing, self._acting = pipelines.environment, pipelines.action
        self._terminate_on_success, self._by_classifier = terminate_on_success, judged_by_classifier
        self._trouble, self._truth = trouble, truth
        self._newest: tuple[Any, Mapping[str, Any]] = None, {}
        self._commands: list[Command] = []
        self._judgement: Judgement | None = None
        self._pictures: dict[str, Picture] = {}

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the pictures that a person can be shown."""
        observed = tuple(self._ends.reader.pictures)
        return observed or ((RENDERED,) if self._env.render_mode == PICTURES else ())

    def pictures(self) -> dict[str, Picture]:
        """What `views` names, now; rendered where the observation has none."""
        if self._pictures or not self.views:
            return self._pictures
        rendered: Any = self._env.render()
        frames = rendered if isinstance(rendered, list | tuple) else [rendered]
        return {RENDERED: np.concatenate(frames, axis=1)}

    def change(self, env: EnvConfig) -> None:
        """Other settings, of the coming step: nothing is under way before `finish_step`."""
        self._observing.change(env)
        self.step_limit = max_steps(env)

    def rest(self, seed: int) -> None:
        """An environment sets up its own scene, when the episode begins."""

    def reset(self, *, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; the same seed gives the same start."""
        self._heed()
        np.random.seed(seed)  # gym-hil places its block with NumPy's global generator
        with self._theirs("reset"):
            raw, info = self._env.reset(seed=seed)
        self._acting.reset()
        self._observing.reset()
        transition = self._observe(raw, info, is_reset=True)
        return transition.observation, transition.info

    def begin_step(self, action: Action, human_action: Action | None = None) -> None:
        """Start a period with the policy's action; a human action replaces it and marks an intervention."""
        self._heed()
        self._commands, self._judgement = [_command(action, human_action)], None

    def nudge(self, action: Action) -> None:
        """A person's partial action, added to those before in this period; the first replaces the policy's."""
        self._commands = [command for command in self._commands if command.teleop is not None]
        self._commands.append(_command(action, action))

    def halt(self) -> dict[str, Any]:
        """What the person asked for in this period is void: the environment has not stepped yet."""
        stay = self._acting.stay
        self._commands = [_command(stay, stay)]
        return {}

    def judge(self, judgement: Judgement) -> None:
        """A person's verdict; takes effect when the running step finishes."""
        self._judgement = judgement

    def finish_step(self) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take the environment's step and observe what came of it."""
        self._heed()
        self._acting.begin_period()
        for command in self._commands:
            self._acting.apply(command)
        if self._judgement is not None:
            self._acting.judge(self._judgement)
        action = self._ends.writer(self._acting.period.executed)
        with self._theirs("step"):
            raw, reward, terminated, truncated, info = self._env.step(action)
            if not math.isfinite(reward):
                raise ValueError(f"the reward is {reward}")
        transition = self._observe(raw, info, float(reward), bool(terminated), bool(truncated))
        info = transition.info
        return transition.observation, transition.reward, transition.terminated, transition.truncated, info

    def look(self) -> tuple[Observation, dict[str, Any]]:
        """The newest observation again: the environment stands still between its steps."""
        raw, info = self._newest
        transition = self._observe(raw, info, is_reset=True)
        return transition.observation, transition.info

    def close(self) -> None:
        """Let go of the environment."""
        self._env.close()

    @contextlib.contextmanager
    def _theirs(self, what: str) -> Iterator[None]:
        """Whatever the environment's own code raises ends the run: the same call would raise it again."""
        try:
            yield
        except Exception as error:
            name = "the environment" if self._env.spec is None else f'"{self._env.spec.id}"'
            text = f"{name} failed in {what}: {type(error).__name__}: {error}. Mend it, or choose another id"
            raise EnvironmentRefused(PLACE, text) from error

    def _heed(self) -> None:
        if trouble := self._trouble():
            raise ArmUnavailable(trouble)

    def _observe(
        self,
        raw: Any,
        info: Mapping[str, Any],
        reward: float = 0.0,
        terminated: bool = False,
        truncated: bool = False,
        is_reset: bool = False,
    ) -> Transition:
        self._newest = raw, info
        observation = self._ends.reader(raw)
        self._pictures = observation[PIXELS]
        transition = Transition(
            observation, self._acting.period, None, is_reset, reward, terminated, truncated, dict(info)
        )
        transition.info["captured_s"] = time.monotonic()
        transition.info["executed_action"] = self._acting.period.executed.copy()
        transition.info["is_intervention"] = self._acting.period.is_intervention
        if self._truth is not None:
            transition.info |= self._truth(self._env)
        self._judge(transition)
        try:
            self._observing(transition)
        except ProcessorError as error:
            raise ArmUnavailable(str(error)) from error
        transition.info["policy_input"] = transition.policy_input
        self.on_observation()
        return transition

    def _judge(self, transition: Transition) -> None:
        """Success by the environment, unless a classifier decides; a person's verdict overrules both."""
        info, judgement = transition.info, transition.period.judgement
        said = next((bool(info[key]) for key in SUCCESS_KEYS if key in info), False)
        info["task_success"] = said
        success = said and not self._by_classifier
        if judgement is not None:
            success = judgement is Judgement.SUCCESS
            decided = max(transition.reward, 1.0) if success else min(transition.reward, 0.0)
            transition.reward, info["decided_by"] = decided, "person"
        elif success or transition.terminated:
            info["decided_by"] = "task"
        info["is_success"] = success
        ended = success and self._terminate_on_success
        transition.terminated |= ended or judgement in (Judgement.FAILURE, Judgement.RERECORD)
        transition.truncated &= not transition.terminated


def gym_env(
    config: Config, device: str | None = None, trouble: Callable[[], str] = str, truth: Truth | None = None
) -> GymEnv:
    """The environment that `env.id` names; with a `device`, for a policy there. Raises EnvironmentRefused."""
    env = open_environment(config.env)
    try:
        lighten(env)
        ends = ends_of(env, config.env)
        pipelines = gymnasium_pipelines(config, ends, device)
    except BaseException:
        env.close()
        raise
    processor = config.env.processor
    by_classifier = processor.judged_by_classifier
    return GymEnv(env, ends, pipelines, processor.reset.terminate_on_success, by_classifier, trouble, truth)


def _command(action: Action, human_action: Action | None) -> Command:
    teleop = None if human_action is None else Teleop(np.asarray(human_action, np.float32))
    return Command(np.asarray(action, np.float32), teleop)


def _nothing() -> None: ...
