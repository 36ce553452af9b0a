"""A success that the classifier decides, and what a person makes of it. On the simulator, in process."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.actor.judging import Says, judged_by
from tests.actor.test_episode import Bench, ScriptedKeys, StillPolicy
from tests.altered import altered
from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable
from workers.actor.episode import EpisodeRunner
from workers.actor.pictures import Observation
from workers.actor.rules import EpisodeResult, Rules
from workers.actor.sim_env import sim_env, without_cameras
from workers.actor.veto import VetoRules
from workers.model.commands import Axis, Command, Jog, Mark, Pause, Verdict, Veto
from workers.model.events import (
    DecidedBy,
    EndedBy,
    EpisodeKind,
    Event,
    Settled,
    StepTaken,
    SuccessDecided,
    SuccessSettled,
)
from workers.transport.record import Step

LOW, HIGH = 0.1, 0.9
FIRES_AT_5 = (LOW, LOW, HIGH, LOW, HIGH, HIGH, LOW)
"""Steps 2, 4 and 5 vote: three of four at step 5, the sixth."""
KEYS = {
    "env.processor.reward_classifier": {"pretrained_path": "simulated", "success_reward": 2.0},
    "env.processor.reset.control_time_s": 1.5,
}
PERIODS = 4


class Pausing(ScriptedKeys):
    """Periods that a pause interrupts, as in real time."""

    def interrupted(self) -> str:
        return "paused" if self._chair.holds else super().interrupted()


class JudgedBench(Bench):
    """An episode of a still policy, with a classifier that says what it is told to say."""

    def judged(
        self, says: Says, keys: dict[int, list[Command]], periods: int = PERIODS, end_on_success: bool = True
    ) -> EpisodeResult:
        """`keys` by period; those of the veto window count on from the step that decided."""
        judged_by(self.env, says)
        self.records, self.events = [], []
        self.kept: list[list[Observation]] = []
        chair = Chair(scripted=False, jog_step=0.5)
        period = Pausing(self.port, chair, keys)
        rules = Rules(veto=VetoRules(periods, 0.1, window=4), end_on_success=end_on_success)
        runner = EpisodeRunner(
            self.env, StillPolicy(7), chair, None, period, self.records.append, self.events.append, rules,
            keep=self.kept.append,
        )  # fmt: skip
        return runner.run(EpisodeKind.TRAINING, episode=3, seed=5)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def bench() -> Iterator[JudgedBench]:
    made = JudgedBench(*sim_env(without_cameras(altered(KEYS))))
    yield made
    made.env.close()


def rewards(steps: list[Step]) -> list[float]:
    return [step.reward for step in steps]


def test_without_a_window_a_decision_stands_at_once_and_says_whose_it_is(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {}, periods=0)
    assert (result.ended_by, result.decided_by, result.steps) == (EndedBy.SUCCESS, DecidedBy.CLASSIFIER, 6)
    assert rewards(bench.steps) == [0.0] * 5 + [2.0]
    assert bench.steps[-1].decided_by is DecidedBy.CLASSIFIER and bench.steps[-1].terminated
    assert not bench.of(SuccessDecided)
    assert [event.votes for event in bench.of(StepTaken)] == [0, 0, 1, 1, 2, 3]


def test_nobody_objects_and_it_counts_after_the_window(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {})
    assert (result.ended_by, result.decided_by, result.vetoes) == (EndedBy.SUCCESS, DecidedBy.CLASSIFIER, 0)
    (asked,), (settled,) = bench.of(SuccessDecided), bench.of(SuccessSettled)
    assert (asked.step, asked.probability, asked.votes) == (5, HIGH, 3)
    assert settled == SuccessSettled(3, 5, Settled.STANDS)
    assert len(bench.steps) == 6 and bench.kept == [], "the window is no step"


def test_a_veto_takes_the_reward_back_and_the_episode_goes_on(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {7: [Veto()]})
    assert (result.ended_by, result.steps, result.reward) == (EndedBy.TIME_LIMIT, 15, 0.0)
    assert (result.vetoes, result.decided_by) == (1, DecidedBy.NOBODY)
    assert rewards(bench.steps) == [0.0] * 15
    assert not bench.steps[5].terminated and bench.steps[5].decided_by is DecidedBy.PERSON
    assert bench.of(SuccessSettled)[0].settled is Settled.VETOED
    assert len(bench.kept) == 1 and len(bench.kept[0]) == 3, "the three frames that fired"


def test_the_frames_that_are_kept_are_those_that_voted(bench: JudgedBench) -> None:
    bench.judged(Says(*FIRES_AT_5), {7: [Veto()]})
    (kept,) = bench.kept
    # The observation after step n is the one that record n + 1 has.
    after = [bench.steps[n + 1].state for n in (2, 4)]
    for frame, state in zip(kept[:2], after, strict=True):
        np.testing.assert_array_equal(frame["observation.state"], state)


def test_after_a_veto_the_votes_are_counted_anew(bench: JudgedBench) -> None:
    always = Says(HIGH)
    result = bench.judged(always, {3: [Veto()]})
    decided = [event.step for event in bench.of(SuccessDecided)]
    assert decided == [2, 5], "three new votes, none of those before"
    assert (result.ended_by, result.vetoes) == (EndedBy.SUCCESS, 1)


def test_the_fail_key_ends_it_as_a_failure_and_keeps_the_frames(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {6: [Mark(Verdict.FAILURE)]})
    assert (result.ended_by, result.reward, result.steps) == (EndedBy.FAILURE, 0.0, 6)
    assert result.decided_by is DecidedBy.PERSON and result.vetoes == 1 and len(bench.kept) == 1
    assert bench.steps[-1].terminated and bench.steps[-1].reward == 0.0


def test_the_success_key_agrees_at_once(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {6: [Mark(Verdict.SUCCESS)]})
    assert (result.ended_by, result.reward) == (EndedBy.SUCCESS, 2.0)
    assert bench.of(SuccessSettled)[0].settled is Settled.CONFIRMED
    assert result.vetoes == 0 and not bench.kept


def test_an_episode_to_be_recorded_again_has_no_reward(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {6: [Mark(Verdict.RERECORD)]})
    assert (result.ended_by, result.reward) == (EndedBy.RERECORD, 0.0)
    assert not bench.kept, "nobody said that the classifier was wrong"


def test_a_pause_in_the_window_gives_no_reward_for_what_nobody_could_object_to(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {6: [Pause(True)]})
    assert (result.ended_by, result.reward, result.decided_by) == (EndedBy.STOP, 0.0, DecidedBy.NOBODY)
    assert bench.of(SuccessSettled)[0].settled is Settled.BROKEN_OFF and not bench.kept


def test_a_pause_in_the_window_s_last_period_counts_too(bench: JudgedBench) -> None:
    last = 5 + PERIODS
    result = bench.judged(Says(*FIRES_AT_5), {last: [Pause(True)]})
    assert bench.of(SuccessSettled)[0].settled is Settled.BROKEN_OFF
    assert (result.ended_by, result.reward, result.reason) == (EndedBy.STOP, 0.0, "paused")


@pytest.mark.parametrize("halts", range(PERIODS))
def test_an_arm_that_is_lost_in_the_window_breaks_it_off_and_keeps_the_step(
    bench: JudgedBench, halts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [halts]

    def halt() -> dict[str, Any]:
        if not left[0]:
            raise ArmUnavailable("no reading of the arm for 0.3 s")
        left[0] -= 1
        return {}

    monkeypatch.setattr(bench.env, "halt", halt)
    result = bench.judged(Says(*FIRES_AT_5), {})
    assert [event.settled for event in bench.of(SuccessSettled)] == [Settled.BROKEN_OFF]
    assert (result.ended_by, result.reward, result.reason) == (
        EndedBy.STOP,
        0.0,
        "no reading of the arm for 0.3 s",
    )
    assert rewards(bench.steps) == [0.0] * 6 and not bench.steps[-1].terminated and not bench.kept
    assert result.decided_by is DecidedBy.NOBODY


def test_an_arm_that_is_lost_right_after_a_veto_keeps_the_veto(
    bench: JudgedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> tuple[Observation, dict[str, Any]]:
        raise ArmUnavailable("camera wrist: no frame for 0.4 s")

    monkeypatch.setattr(bench.env, "look", look)
    result = bench.judged(Says(*FIRES_AT_5), {7: [Veto()]})
    assert bench.of(SuccessSettled)[0].settled is Settled.VETOED and len(bench.kept) == 1
    assert (result.ended_by, result.vetoes, result.reason) == (
        EndedBy.STOP,
        1,
        "camera wrist: no frame for 0.4 s",
    )
    assert rewards(bench.steps) == [0.0] * 6 and bench.steps[-1].decided_by is DecidedBy.PERSON


def test_the_arm_holds_in_the_window_whatever_was_pressed(bench: JudgedBench) -> None:
    jogs: list[Command] = [Jog(Axis.X, 1), Jog(Axis.Z, 1)]
    bench.judged(Says(*FIRES_AT_5), {6: jogs, 7: [*jogs, Veto()]})
    before, after = bench.steps[5].state[:6], bench.steps[6].state[:6]
    np.testing.assert_allclose(before, after, atol=0.05)
    assert not any(step.is_intervention for step in bench.steps[6:])


def test_a_person_s_word_at_the_step_itself_wins_without_a_window(bench: JudgedBench) -> None:
    result = bench.judged(Says(HIGH), {2: [Mark(Verdict.FAILURE)]})
    assert (result.ended_by, result.decided_by, result.reward) == (EndedBy.FAILURE, DecidedBy.PERSON, 0.0)
    assert not bench.of(SuccessDecided)


def test_a_veto_that_comes_when_nothing_was_decided_is_forgotten(bench: JudgedBench) -> None:
    result = bench.judged(Says(*FIRES_AT_5), {1: [Veto()]})
    assert result.ended_by is EndedBy.SUCCESS and not bench.kept


def test_what_decides_nothing_is_shown_and_the_task_judges() -> None:
    shown = {"pretrained_path": "simulated", "decides": False}
    bench = JudgedBench(
        *sim_env(without_cameras(altered({**KEYS, "env.processor.reward_classifier": shown})))
    )
    result = bench.judged(Says(HIGH), {})
    bench.env.close()
    assert result.ended_by is EndedBy.TIME_LIMIT and result.reward == 0.0
    assert {event.success_probability for event in bench.of(StepTaken)} == {HIGH}


def test_the_task_s_own_success_is_told_as_its() -> None:
    bench = Bench(*sim_env(without_cameras(altered({}))))
    result = bench.run(EpisodeKind.DEMONSTRATION, {}, scripted=True)
    bench.env.close()
    assert (result.ended_by, result.decided_by) == (EndedBy.SUCCESS, DecidedBy.TASK)
    assert [step.decided_by for step in bench.steps[-2:]] == [DecidedBy.NOBODY, DecidedBy.TASK]
