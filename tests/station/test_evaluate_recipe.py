"""The evaluation recipe: whose turn it is, what is kept when it is cut off, and that the right weights drove."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.altered import altered
from tests.evaluation.made import NEW, OLD
from tests.evaluation.test_keeper import ended
from tests.station.recipe_station import WORKERS, FakeStation
from workers.actor.trial_shelves import FOLDER
from workers.config import Config
from workers.evaluation.contestants import write_contestants
from workers.model import events as e
from workers.model.evaluation_files import newest
from workers.model.orders import Collect, Examine, TrialPlan
from workers.robot.board import Board
from workers.station.crew import crew

EVALUATION = e.EpisodeKind.EVALUATION
WITHOUT_LEARNER = WORKERS[:-1]


def evaluating(
    folder: Path, against: bool = False, trials: int = 2, judged_by: dict[str, object] | None = None
) -> Config:
    keys: dict[str, object] = {
        "run.directory": str(folder),
        "run.name": "lift-evaluate",
        "evaluation.episodes": trials,
    }
    if judged_by is not None:
        keys["env.processor.reward_classifier"] = judged_by
    config = altered({"mode": "evaluate", **keys})
    (config.run_dir / FOLDER).mkdir(parents=True)
    write_contestants(config.run_dir, (NEW, OLD) if against else (NEW,))
    return config


async def opened(config: Config) -> FakeStation:
    station = FakeStation(config, None)
    await station.start(WITHOUT_LEARNER)
    return station


def plan(station: FakeStation) -> TrialPlan:
    made = station.collecting().trial
    assert made is not None
    return made


async def drive(station: FakeStation, success: bool = True, digest: str | None = None) -> None:
    """The actor makes the trial that is ordered."""
    now = plan(station)
    right = (NEW, OLD)[now.side].digest
    ended_by = "success" if success else "time_limit"
    station.emit(ended(now.number, ended_by, now.side, seed=now.seed, digest=digest or right))
    await station.collected(EVALUATION, 1, 1)


async def test_two_policies_take_turns_from_the_same_starts(tmp_path: Path) -> None:
    station = await opened(evaluating(tmp_path, against=True, trials=3))
    plans = []
    for number in range(6):
        plans.append(plan(station))
        assert station.state.progress.phase is e.Phase.EVALUATING
        assert (station.state.progress.done, station.state.progress.total) == (number, 6)
        await drive(station, success=number != 1)
    assert [one.side for one in plans] == [0, 1, 1, 0, 0, 1]
    assert [one.seed for one in plans[::2]] == [one.seed for one in plans[1::2]]
    result = await asyncio.wait_for(station.task, 1)
    assert result.succeeded and "not enough trials to tell them apart" in result.reason
    (kept,) = newest(tmp_path / "lift", 9)
    assert (len(kept.trials), kept.complete, kept.run) == (6, True, "lift")
    assert station.state.result == kept


async def test_a_trial_that_does_not_count_is_waited_for_again(tmp_path: Path) -> None:
    station = await opened(evaluating(tmp_path))
    first = plan(station)
    station.emit(ended(0, "stop", reason="somebody took over", seed=first.seed))
    await station.settle()
    assert plan(station) == first, "the actor repeats it"
    await drive(station)
    assert plan(station).number == 1
    station.task.cancel()


async def test_a_run_that_is_shut_down_keeps_its_trials(tmp_path: Path) -> None:
    station = await opened(evaluating(tmp_path))
    await drive(station)
    station.task.cancel()
    await station.settle()
    (kept,) = newest(tmp_path / "lift", 9)
    assert (len(kept.trials), kept.complete) == (1, False)
    assert kept.ended == "cut off after 1 of 2 trials"


async def test_one_that_was_cut_off_is_continued_with_the_trials_it_lacks(tmp_path: Path) -> None:
    config = evaluating(tmp_path, against=True, trials=2)
    station = await opened(config)
    await drive(station)
    second = plan(station)
    station.task.cancel()
    await station.settle()
    evaluation = msgspec.structs.replace(config.evaluation, go_on=True, episodes=50)
    run = msgspec.structs.replace(config.run, seed=config.run.seed + 1)
    again = await opened(msgspec.structs.replace(config, evaluation=evaluation, run=run))
    assert plan(again) == second, "the start that it would have had"
    for _ in range(3):
        await drive(again)
    assert (await asyncio.wait_for(again.task, 1)).succeeded
    (kept,) = newest(tmp_path / "lift", 9)
    assert [(trial.number, trial.side) for trial in kept.trials] == [(0, 0), (1, 1), (2, 1), (3, 0)]
    assert (kept.complete, kept.ended, kept.wanted) == (True, "4 of 4 trials", 2)


async def test_a_worker_that_fails_ends_it_and_is_named_in_the_result(tmp_path: Path) -> None:
    station = await opened(evaluating(tmp_path))
    await drive(station)
    station.emit(e.WorkerChanged("actor", e.WorkerState.FAILED, "no such device"))
    assert (await asyncio.wait_for(station.task, 1)).failed
    (kept,) = newest(tmp_path / "lift", 9)
    assert kept.ended == "cut off after 1 of 2 trials: actor failed: no such device"


async def test_weights_that_were_not_chosen_end_it_and_count_for_nothing(tmp_path: Path) -> None:
    station = await opened(evaluating(tmp_path))
    await drive(station, digest=OLD.digest)
    result = await asyncio.wait_for(station.task, 1)
    assert result.failed and "drove with weights ef589b1ab00e where 1f0c34ab9d77" in result.reason
    assert newest(tmp_path / "lift", 9)[0].trials == ()


async def test_a_classifier_that_fires_at_reset_judges_no_trial(tmp_path: Path) -> None:
    config = evaluating(tmp_path, judged_by={"pretrained_path": "me/judge", "success_threshold": 0.6})
    station = await opened(config)
    assert station.orders == [("actor", Examine(20))]
    station.emit(e.ClassifierExamined((0.7, *[0.1] * 19), 0.6, "runs/it/classifier_check"))
    result = await asyncio.wait_for(station.task, 1)
    assert result.failed and "1 of 20" in result.reason
    assert not any(isinstance(order, Collect) for _, order in station.orders)
    assert not newest(tmp_path / "lift", 9), "there is nothing to be kept"


async def test_a_classifier_that_stays_quiet_at_reset_judges_the_trials(tmp_path: Path) -> None:
    config = evaluating(tmp_path, judged_by={"pretrained_path": "me/judge", "success_threshold": 0.6})
    station = await opened(config)
    station.emit(e.ClassifierExamined((0.1,) * 20, 0.6, "runs/it/classifier_check"))
    await station.settle()
    assert station.orders[1] == ("actor", Examine(0))
    await drive(station)
    assert plan(station).number == 1
    station.task.cancel()


async def test_it_is_said_what_will_be_tried_before_anything_moves(tmp_path: Path) -> None:
    station = FakeStation(evaluating(tmp_path, against=True), None)
    station.recipe.opened()
    told = [line.text for line in station.state.log]
    assert told[0].startswith("A: step-00012000, weights 1f0c34ab9d77")
    assert told[1].startswith("B: lift policy 20, weights ef589b1ab00e")
    station.task.cancel()


def test_an_evaluation_has_neither_learner_nor_recorder(tmp_path: Path) -> None:
    board: Board = None  # type: ignore[assignment]  # nothing is started
    names = [spec.name for spec in crew(evaluating(tmp_path), board)]
    assert names == ["robot", "camera-front", "camera-side", "actor"]


# an evaluation in the middle of training


async def training(folder: Path) -> FakeStation:
    config = altered({"run.directory": str(folder), "run.name": "lift", "operator.demonstrations": 0})
    station = FakeStation(config, None)
    await station.start()
    station.recipe.evaluate_now()
    await station.train(0, 1, success=False)
    assert station.collecting().kind is EVALUATION
    return station


async def test_what_training_evaluates_is_kept_in_the_same_form(tmp_path: Path) -> None:
    station = await training(tmp_path)
    for number in range(50):
        station.emit(ended(number, "success" if number else "time_limit"))
    await station.evaluated(49, 50)
    (kept,) = newest(tmp_path / "lift", 9)
    assert (kept.complete, len(kept.trials), kept.contestants[0].digest) == (True, 50, NEW.digest)
    assert kept.contestants[0].label == "policy 38" and kept.ended == "50 trials, all trials made"
    station.task.cancel()


async def test_one_that_is_given_up_is_kept_as_that(tmp_path: Path) -> None:
    station = await training(tmp_path)
    for number in range(3):
        station.emit(ended(number, "failure"))
    await station.evaluated(0, 3)
    (kept,) = newest(tmp_path / "lift", 9)
    assert (kept.complete, kept.ended) == (False, "3 trials, given up: too many failures")
    station.task.cancel()


@pytest.mark.parametrize("digest", [OLD.digest, NEW.digest], ids=["other weights", "the same"])
async def test_an_actor_that_begins_anew_begins_another_result(tmp_path: Path, digest: str) -> None:
    station = await training(tmp_path)
    station.emit(ended(0))
    station.emit(ended(1))
    station.emit(ended(0, digest=digest))
    station.task.cancel()
    await station.settle()
    cut, first = newest(tmp_path / "lift", 9)
    assert sorted([len(cut.trials), len(first.trials)]) == [1, 2]
    assert {one.ended for one in (cut, first)} == {
        "2 trials, cut off: the actor was started again",
        "1 trial, cut off with the run",
    }
