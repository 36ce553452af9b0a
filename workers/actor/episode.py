"""One episode, step by step: observe, decide who drives, send, wait out the period, record what came of it."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable, InterventionEnv
from workers.actor.hand import Hand
from workers.actor.keys import Keys
from workers.actor.pictures import Observation, stack_pictures
from workers.actor.rules import AS_TRAINED, EpisodeResult, Rules
from workers.actor.veto import Finished, VetoWindow
from workers.model.commands import Verdict
from workers.model.events import (
    GIVEN_BACK,
    DecidedBy,
    Driver,
    DriverChanged,
    EndedBy,
    EpisodeKind,
    Event,
    StepTaken,
)
from workers.processors.transition import Judgement
from workers.teleop.scripted_operator import ScriptedOperator
from workers.teleop.scripts import TaskView
from workers.transport.record import EpisodeEnd, Outcome, Record, Step

log = logging.getLogger(__name__)
_HUMANS = (Driver.HUMAN, Driver.SCRIPTED)
_LOGGED = (EpisodeKind.DEMONSTRATION, EpisodeKind.TRAINING)
_JUDGEMENTS = {
    Verdict.SUCCESS: Judgement.SUCCESS,
    Verdict.FAILURE: Judgement.FAILURE,
    Verdict.RERECORD: Judgement.RERECORD,
}
_OUTCOMES = {
    EndedBy.SUCCESS: Outcome.SUCCESS,
    EndedBy.FAILURE: Outcome.FAILURE,
    EndedBy.TIME_LIMIT: Outcome.TIME_LIMIT,
    EndedBy.RERECORD: Outcome.STOPPED,
    EndedBy.STOP: Outcome.STOPPED,
}


class Actor(Protocol):
    """What decides for the policy."""

    @property
    def version(self) -> int: ...
    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        """float32 [action_dim]: motion in [-1, 1], then any gripper's command 0, 1 or 2."""


class Period(Protocol):
    """How a step's time passes: in real time listening to the operator, or not at all in a simulation."""

    stages_ms: dict[str, float]

    def restart(self) -> None:
        """Begin a new row of periods."""

    def pass_by(self, on_input: Callable[[], None]) -> None:
        """Return at the end of the period; call `on_input` whenever the operator sent something."""

    def interrupted(self) -> str:
        """Why the episode must end now, "" to go on."""


class EpisodeRunner:
    """Runs episodes in one environment with one chair.

    Args:
        append: takes the records of training and demonstration steps (the transition log).
        emit: takes events for the operator.
        hand: how the person's device becomes an action; a leader arm needs one of its own.
        keep: takes observations that the classifier wrongly took for a success, by a person's word.
    """

    def __init__(
        self,
        env: InterventionEnv,
        policy: Actor,
        chair: Chair,
        script: ScriptedOperator | None,
        period: Period,
        append: Callable[[Record], None],
        emit: Callable[[Event], None],
        rules: Rules = AS_TRAINED,
        hand: Hand | None = None,
        keep: Callable[[list[Observation]], None] = lambda frames: None,
    ) -> None:
        self._env = env
        self._policy = policy
        self._chair = chair
        self._script = script
        self._period = period
        self._append = append
        self._emit = emit
        self._rules = rules
        self._veto = VetoWindow(env, chair, period, emit, rules.veto, keep)
        self._marking = False  # whether steps are marked as success
        self._driver, self._reason = Driver.NOBODY, ""
        self._hand = Hand(env.person) if hand is None else hand
        self._stay = self._hand.stay
        self._led = False  # the device moves the arm in this period
        self._kind = EpisodeKind.TRAINING
        self._keys = Keys(env, chair, self._hand)

    def rest(self, seed: int) -> None:
        """Bring arm and scene to where the episode with this seed begins. Raises ArmUnavailable."""
        self._env.rest(seed)

    def run(self, kind: EpisodeKind, episode: int, seed: int) -> EpisodeResult:
        """Run one episode to its end, or until the arm cannot be driven. Raises LogFull and LogUnsaved."""
        result = EpisodeResult(EndedBy.STOP)
        closing: Observation | None = None
        try:
            closing = self._run_steps(kind, episode, seed, result)
        except ArmUnavailable as reason:
            result.reason = str(reason)
        finally:
            self._change_driver(Driver.NOBODY)
        if kind in _LOGGED:
            self._append(_closing(kind, episode, result.ended_by, closing, self._rules.keep_failures))
        return result

    def _run_steps(self, kind: EpisodeKind, episode: int, seed: int, result: EpisodeResult) -> Observation:
        """Step until the end; the observation after the last step. Raises ArmUnavailable."""
        observation: Observation
        observation, info = self._env.reset(seed=seed)
        self._chair.take_verdict()
        self._veto.restart()
        self._marking = False
        self._kind = kind
        if not self._rules.keep_first_motion:
            self._chair.take_jogs()
        if self._script is not None:
            self._script.begin_episode(kind)
        if kind is EpisodeKind.EVALUATION:
            result.first = result.last = observation
        self._period.restart()
        began_s = time.monotonic()
        ended_by: EndedBy | None = None
        while ended_by is None:
            result.reason = (
                self._veto.broken_off or self._period.interrupted() or self._nobody_drives(kind, result)
            )
            if result.reason:
                return observation
            observation, info, ended_by = self._step(kind, episode, observation, info, result)
            result.driven_s = time.monotonic() - began_s
        result.ended_by = ended_by
        if ended_by is EndedBy.TIME_LIMIT:
            result.decided_by = DecidedBy.NOBODY
        return observation

    def _nobody_drives(self, kind: EpisodeKind, result: EpisodeResult) -> str:
        """Why an episode of this kind cannot go on with who is there, "" when it can."""
        person, scripted = self._chair.has_person, self._chair.scripted and self._script is not None
        if kind is EpisodeKind.EVALUATION:
            return "somebody took over: the trial does not count" if person else ""
        if person or kind is EpisodeKind.SURVEY:
            return ""
        if kind is EpisodeKind.DEMONSTRATION:
            return "" if scripted or self._chair.demonstrates else "the person let go of the demonstration"
        if kind is EpisodeKind.REPLAY:
            return "the arm left the recorded way: it is replayed again" if result.steps_by_human else ""
        return "" if self._policy.version else "there is no policy yet"

    def _step(
        self,
        kind: EpisodeKind,
        episode: int,
        observation: Observation,
        info: dict[str, Any],
        result: EpisodeResult,
    ) -> tuple[Observation, dict[str, Any], EndedBy | None]:
        """One period: decide, send, wait, observe, record."""
        started_s = time.monotonic()
        driver = self._choose_driver(kind, info)
        if driver in _HUMANS and self._driver not in _HUMANS:
            result.interventions += 1
            if result.steps:
                if driver is Driver.HUMAN:  # what the policy left undone is not the person's
                    info = {**info, **self._env.halt()}
                log.info("%s takes over at step %d of episode %d", driver.value, result.steps, episode)
        self._change_driver(driver, "space takes the arm" if driver is Driver.NOBODY else self._chair.warning)
        self._led = False
        action = self._action(driver, kind, info)
        executed_ns = time.monotonic_ns()
        self._env.begin_step(action, human_action=action if driver is Driver.HUMAN else None)
        if driver is Driver.HUMAN and self._chair.drives_by_device:
            self._led |= self._hand.steer(self._chair.word, info)
        self._keys.begin_period()
        self._apply_input()
        decided_s = time.monotonic()
        self._period.pass_by(self._apply_input)
        over_s = time.monotonic()
        verdict = self._judge(kind)
        following, reward, terminated, truncated, outcome = self._env.finish_step()
        observed_s = time.monotonic()
        done = Finished(following, reward, terminated, truncated, outcome, outcome, verdict)
        done = self._veto.settle(episode, result.steps, done)
        settled_s = time.monotonic()
        helped = driver in _HUMANS or bool(done.outcome["is_intervention"])
        if kind in _LOGGED:
            self._append(self._record(kind, episode, observation, info, result, executed_ns, helped, done))
        result.steps += 1
        result.steps_by_human += helped
        result.reward += done.reward
        result.succeeded |= bool(done.outcome["is_success"])
        result.decided_by = done.decided_by or result.decided_by
        result.vetoes = self._veto.vetoes
        if kind is EpisodeKind.EVALUATION:
            result.last = done.observation
        self._period.stages_ms = {
            "decide": (decided_s - started_s) * 1e3,
            "observe": (observed_s - over_s) * 1e3,
            "record": (time.monotonic() - settled_s) * 1e3,
        }
        if kind is EpisodeKind.SURVEY:
            self._emit(StepTaken(episode, result.steps, 0, 0.0, driver))
            return done.observation, dict(done.info), None  # whatever the task says: nobody does it
        self._emit(self._taken(episode, driver, result, done))
        ended_by = _end(done.verdict, done.terminated, done.truncated, result)
        return done.observation, dict(done.info), ended_by

    def _record(
        self,
        kind: EpisodeKind,
        episode: int,
        observation: Observation,
        info: Mapping[str, Any],
        result: EpisodeResult,
        executed_ns: int,
        helped: bool,
        done: Finished,
    ) -> Step:
        return Step(
            episode=episode,
            step=result.steps,
            state=observation["observation.state"],
            images=stack_pictures(observation),
            action=np.asarray(done.outcome["executed_action"], np.float32),
            reward=done.reward,
            terminated=done.terminated,
            truncated=done.truncated,
            is_intervention=helped and kind is EpisodeKind.TRAINING,
            is_demonstration=kind is EpisodeKind.DEMONSTRATION,
            discrete_penalty=float(done.outcome.get("discrete_penalty", 0.0)),
            policy_version=self._policy.version,
            captured_ns=round(info["captured_s"] * 1e9),
            executed_ns=executed_ns,
            decided_by=done.decided_by,
        )

    def _taken(self, episode: int, driver: Driver, result: EpisodeResult, done: Finished) -> StepTaken:
        probability = done.outcome.get("success_probability")
        return StepTaken(
            episode,
            result.steps,
            self._env.step_limit,
            done.reward,
            driver,
            None if probability is None else round(probability, 4),
            done.outcome.get("success_votes", 0),
        )

    def _judge(self, kind: EpisodeKind) -> Verdict | None:
        """Pass on what the person says of this step; returns what ends the episode."""
        verdict = self._chair.take_verdict()
        if (
            kind is EpisodeKind.EVALUATION
            and verdict is Verdict.SUCCESS
            and not self._rules.success_by_person
        ):
            log.info("in an evaluation here the task alone says what is a success")
            verdict = None
        if verdict is Verdict.SUCCESS and not self._rules.end_on_success:
            self._marking, verdict = not self._marking, None
        if verdict is not None:
            self._env.judge(_JUDGEMENTS[verdict])
        elif self._marking:
            self._env.judge(Judgement.SUCCESS)
        return verdict

    def _choose_driver(self, kind: EpisodeKind, info: dict[str, Any]) -> Driver:
        if kind is EpisodeKind.EVALUATION:
            return Driver.POLICY
        wants = (
            self._script is not None
            and kind is not EpisodeKind.REPLAY
            and self._script.wants_control(TaskView.of(info))
        )
        driver = self._chair.driver(wants)
        if kind is EpisodeKind.DEMONSTRATION and driver is Driver.POLICY and self._chair.demonstrates:
            return Driver.HUMAN  # who rests for a moment
        return Driver.NOBODY if kind is EpisodeKind.SURVEY and driver is Driver.POLICY else driver

    def _action(self, driver: Driver, kind: EpisodeKind, info: dict[str, Any]) -> NDArray[np.float32]:
        if driver is Driver.SCRIPTED:
            assert self._script is not None
            return self._script.action(TaskView.of(info))
        if driver is Driver.HUMAN and self._chair.drives_by_device:
            led = self._hand.action(self._chair.word, info)
            self._led = bool((led != self._stay).any())
            return led
        self._hand.release()
        if driver in (Driver.HUMAN, Driver.NOBODY):
            return self._stay  # keys arrive while the period passes
        return self._policy.act(info["policy_input"], deterministic=kind is EpisodeKind.EVALUATION)

    def _apply_input(self) -> None:
        """What the person does takes effect at once, in the middle of the period.

        Keys move the arm. A device that moved it and is late, gone or let go stops it where it is. Who gives the arm
        back drives no more, although the policy goes on with the next step only.
        """
        if self._led and not self._chair.drives_by_device:
            self._led = False
            self._hand.release()
            self._env.halt()
        self._keys.apply()
        rests = self._kind is EpisodeKind.DEMONSTRATION and self._chair.demonstrates
        if self._driver is Driver.HUMAN and not (self._chair.has_person or rests):
            self._change_driver(Driver.NOBODY, GIVEN_BACK)

    def _change_driver(self, driver: Driver, reason: str = "") -> None:
        if (driver, reason) != (self._driver, self._reason):
            self._driver, self._reason = driver, reason
            self._emit(DriverChanged(driver, reason))


def _closing(
    kind: EpisodeKind,
    episode: int,
    ended_by: EndedBy,
    observation: Observation | None,
    keep_failures: bool,
) -> EpisodeEnd:
    """The end of an episode in the log. A demonstration that did not succeed would teach a policy the wrong thing."""
    kept = (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT) if keep_failures else (EndedBy.SUCCESS,)
    dropped_demonstration = kind is EpisodeKind.DEMONSTRATION and ended_by not in kept
    return EpisodeEnd(
        episode=episode,
        outcome=_OUTCOMES[ended_by],
        state=None if observation is None else observation["observation.state"],
        images=None if observation is None else stack_pictures(observation),
        discard=dropped_demonstration or ended_by is EndedBy.RERECORD,
    )


def _end(verdict: Verdict | None, terminated: bool, truncated: bool, result: EpisodeResult) -> EndedBy | None:
    """How the episode ended, None while it goes on. Without `terminate_on_success` it may succeed on the way."""
    match verdict:
        case Verdict.SUCCESS:
            return EndedBy.SUCCESS
        case Verdict.FAILURE:
            return EndedBy.FAILURE
        case Verdict.RERECORD:
            return EndedBy.RERECORD
    if not (terminated or truncated):
        return None
    if result.succeeded:
        return EndedBy.SUCCESS
    return EndedBy.FAILURE if terminated else EndedBy.TIME_LIMIT
