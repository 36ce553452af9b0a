"""The veto window: before a success that the classifier decided counts, a person has a moment to object."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable
from workers.actor.pictures import Observation
from workers.config import Config
from workers.model.commands import Verdict
from workers.model.events import (
    OBJECTIONS,
    DecidedBy,
    Event,
    Settled,
    SuccessDecided,
    SuccessSettled,
)

log = logging.getLogger(__name__)
_MEANS = {
    Verdict.SUCCESS: Settled.CONFIRMED,
    Verdict.FAILURE: Settled.FAILED,
    Verdict.RERECORD: Settled.DROPPED,
}
_WORDS = {
    Settled.STANDS: "nobody objected",
    Settled.CONFIRMED: "the person agrees",
    Settled.VETOED: "vetoed by the person: no reward, the episode goes on",
    Settled.FAILED: "the person says failure: no reward, the episode is over",
    Settled.DROPPED: "the person wants the episode recorded again",
    Settled.BROKEN_OFF: "broken off before it counted: no reward",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a step, and what the next one goes on from."""

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    outcome: Mapping[str, Any]
    """The environment's info of this step."""
    info: Mapping[str, Any]
    """And of the observation, which may have been taken later."""
    verdict: Verdict | None = None
    """What the person ends the episode with."""

    @property
    def decided_by(self) -> DecidedBy:
        return DecidedBy(self.outcome.get("decided_by", ""))


class Holding(Protocol):
    """An environment that can stand still and be looked at; every `InterventionEnv` can."""

    def halt(self) -> dict[str, Any]: ...
    def look(self) -> tuple[Observation, dict[str, Any]]: ...


class Passing(Protocol):
    """How the time of the window passes: periods of the episode."""

    def pass_by(self, on_input: Callable[[], None]) -> None: ...
    def interrupted(self) -> str: ...


@dataclass(frozen=True, slots=True)
class VetoRules:
    """How long a person may object, and how far back the frames lie that led to a decision."""

    periods: int = 0
    period_s: float = 0.1
    window: int = 1

    @classmethod
    def of(cls, config: Config) -> "VetoRules":
        classifier, fps = config.env.processor.reward_classifier, config.env.fps
        if classifier is None:
            return cls()
        return cls(round(classifier.veto_s * fps), 1.0 / fps, classifier.window)


NO_VETO = VetoRules()


class VetoWindow:
    """Settles what the classifier decides. The arm holds meanwhile, and a stop or a pause ends the window.

    Args:
        keep: takes the observations that the classifier took for a success, when a person says they are none.
    """

    def __init__(
        self,
        env: Holding,
        chair: Chair,
        period: Passing,
        emit: Callable[[Event], None],
        rules: VetoRules = NO_VETO,
        keep: Callable[[list[Observation]], None] = lambda frames: None,
    ) -> None:
        self._env, self._chair, self._period, self._emit, self._keep = env, chair, period, emit, keep
        self._rules = rules
        self._seen = deque[tuple[Observation, bool]](maxlen=rules.window)
        self.vetoes = 0
        """In the running episode."""
        self.broken_off = ""
        """Why the episode cannot go on from the window, "" where it can."""

    def restart(self) -> None:
        """Begin an episode."""
        self._seen.clear()
        self.broken_off = ""
        self._chair.take_veto()
        self.vetoes = 0

    def settle(self, episode: int, step: int, finished: Finished) -> Finished:
        """`finished` as it counts: unchanged, unless the classifier ended the episode and a person objected."""
        self._seen.append((finished.observation, bool(finished.outcome.get("success_vote"))))
        if finished.decided_by is not DecidedBy.CLASSIFIER:
            return finished
        log.info(
            "success at step %d of episode %d, decided by the classifier: p(success) %.2f",
            step,
            episode,
            finished.outcome["success_probability"],
        )
        if not (self._rules.periods and finished.terminated):
            return finished
        try:
            settled = self._heard(episode, step, finished)
        except ArmUnavailable as reason:
            settled, self.broken_off = Settled.BROKEN_OFF, str(reason)
        self._emit(SuccessSettled(episode, step, settled))
        log.info("step %d of episode %d: %s", step, episode, _WORDS[settled])
        if settled in OBJECTIONS:
            self.vetoes += 1
            self._keep([observation for observation, fired in self._seen if fired])
            self._seen.clear()
        return self._counted(finished, settled)

    def _heard(self, episode: int, step: int, finished: Finished) -> Settled:
        """Hold the arm and listen, until somebody says something or the time is over."""
        self._chair.take_veto()
        self._chair.take_verdict()
        outcome, rules = finished.outcome, self._rules
        until_s = time.monotonic() + rules.periods * rules.period_s
        probability = round(outcome["success_probability"], 4)
        self._emit(SuccessDecided(episode, step, probability, outcome["success_votes"], until_s))
        for _ in range(rules.periods):
            if why := self._period.interrupted():
                self.broken_off = why
                return Settled.BROKEN_OFF
            self._env.halt()
            self._period.pass_by(_nothing)
            if why := self._period.interrupted():  # in the last period too
                self.broken_off = why
                return Settled.BROKEN_OFF
            if self._chair.take_veto():
                return Settled.VETOED
            if (verdict := self._chair.take_verdict()) is not None:
                return _MEANS[verdict]
        return Settled.STANDS

    def _counted(self, finished: Finished, settled: Settled) -> Finished:
        self._chair.take_jogs()  # keys pressed while the arm held are no motion of the next step
        if settled in (Settled.STANDS, Settled.CONFIRMED):
            return finished
        without = finished.outcome["without_decision"]
        by = DecidedBy.NOBODY if settled is Settled.BROKEN_OFF else DecidedBy.PERSON
        counted = replace(
            finished,
            reward=without.reward,
            terminated=without.terminated,
            truncated=without.truncated,
            outcome={**finished.outcome, "is_success": False, "decided_by": by},
        )
        if settled is Settled.FAILED:
            return replace(counted, terminated=True, truncated=False, verdict=Verdict.FAILURE)
        if settled is Settled.DROPPED:
            return replace(counted, verdict=Verdict.RERECORD)
        if settled is Settled.VETOED:  # the scene may have changed while the arm held
            try:
                observation, info = self._env.look()
            except ArmUnavailable as reason:  # what was vetoed is vetoed
                self.broken_off = str(reason)
                return counted
            return replace(counted, observation=observation, info=info)
        return counted


def _nothing() -> None: ...
