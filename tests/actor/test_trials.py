"""A trial as the station is told of it. On the simulator, in process."""

import cv2
import numpy as np
import pytest

from tests.actor.test_episode import Bench
from tests.actor.test_episode import bench as bench
from workers.actor.rules import EpisodeResult, Rules
from workers.actor.trial import trial_ended
from workers.model.commands import Command, Intervene, Mark, Verdict
from workers.model.events import EndedBy, EpisodeKind, TrialEnded
from workers.model.orders import TrialPlan

EVALUATION = EpisodeKind.EVALUATION
REAL = Rules(success_by_person=True)


def told(result: EpisodeResult) -> TrialEnded:
    return trial_ended(3, TrialPlan(number=4, side=1, seed=5), result, 38, "abc")


def test_on_a_real_arm_a_person_says_what_is_a_success(bench: Bench) -> None:
    keys: dict[int, list[Command]] = {4: [Mark(Verdict.SUCCESS)]}
    trial = told(bench.run(EVALUATION, keys, rules=REAL))
    assert (trial.ended_by, trial.decided_by, trial.steps) == ("success", "person", 5)
    assert (trial.number, trial.side, trial.seed, trial.policy_version, trial.digest) == (4, 1, 5, 38, "abc")


def test_in_the_simulator_nobody_does(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    trial = told(bench.run(EVALUATION, {4: [Mark(Verdict.SUCCESS)]}))
    assert (trial.ended_by, trial.decided_by) == ("time_limit", "time limit")
    assert "the task alone says what is a success" in caplog.text


@pytest.mark.parametrize("rules", [REAL, Rules()], ids=["real", "simulator"])
@pytest.mark.parametrize(("verdict", "ended_by"), [("failure", "failure"), ("rerecord", "rerecord")])
def test_a_person_may_end_a_trial_as_a_failure_or_have_it_again(
    bench: Bench, rules: Rules, verdict: str, ended_by: str
) -> None:
    trial = told(bench.run(EVALUATION, {2: [Mark(Verdict(verdict))]}, rules=rules))
    assert (trial.ended_by, trial.decided_by, trial.steps) == (ended_by, "person", 3)


def test_whoever_takes_over_is_named_and_judges_nothing(bench: Bench) -> None:
    keys: dict[int, list[Command]] = {1: [Intervene(True)], 2: [Mark(Verdict.SUCCESS)]}
    trial = told(bench.run(EVALUATION, keys, rules=REAL))
    assert (trial.ended_by, trial.decided_by) == ("stop", "")
    assert "somebody took over" in trial.reason


def test_its_pictures_are_what_the_policy_saw_first_and_last() -> None:
    first = {"observation.images.front": np.full((4, 6, 3), (250, 10, 20), np.uint8)}
    last = {"observation.images.front": np.full((4, 6, 3), (10, 20, 250), np.uint8)}
    result = EpisodeResult(EndedBy.SUCCESS, steps=3, driven_s=0.3, first=first, last=last)
    files = told(result).pictures["front"]
    for data, seen in zip(files, (first, last), strict=True):
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(read[..., ::-1], seen["observation.images.front"])


def test_a_trial_lasts_from_its_first_observation_to_its_last(bench: Bench) -> None:
    result = bench.run(EVALUATION, {})
    assert result.first is not result.last and result.steps == bench.env.step_limit
    assert result.driven_s > 0.0, "the bench does not wait for the clock"


def test_an_episode_of_another_kind_keeps_no_observation(bench: Bench) -> None:
    assert bench.run(EpisodeKind.TRAINING, {}).first == {}
