"""How a run ends that does not train for ever: by its steps, its recorded episodes, its replayed episode."""

import asyncio
from pathlib import Path

import pytest

from tests.altered import altered
from tests.station.recipe_station import WORKERS, FakeStation
from workers.config import Config
from workers.model import events as e
from workers.model.orders import Collect
from workers.robot.board import Board
from workers.runtime.episode_book import EpisodeBook
from workers.station.crew import crew
from workers.station.recipes import demonstrations_wanted

DEMONSTRATION, TRAINING = e.EpisodeKind.DEMONSTRATION, e.EpisodeKind.TRAINING
WITHOUT_LEARNER = WORKERS[:-1]
RECORDING = (*WITHOUT_LEARNER, "recorder")


def training(folder: Path, online_steps: int) -> Config:
    return altered(
        {
            "run.directory": str(folder),
            "operator.demonstrations": 0,
            "algorithm.bc_pretrain_updates": 0,
            "policy.online_steps": online_steps,
        }
    )


def mode(mode: str) -> Config:
    keys = {"root": "somewhere", "num_episodes_to_record": 3, "replay_episode": 4}
    return altered({"mode": mode, "run.directory": "no-such-folder", "dataset": keys})


def ended(number: int, steps: int, kind: e.EpisodeKind = TRAINING) -> e.EpisodeEnded:
    return e.EpisodeEnded(number, kind, 0.0, steps, 0, 0, e.EndedBy.TIME_LIMIT, 1.0)


async def step(station: FakeStation, episode: int, steps: int) -> None:
    for number in range(1, steps + 1):
        station.emit(e.StepTaken(episode, number, 30, 0.0, e.Driver.POLICY))
    await station.settle()


async def test_training_ends_after_online_steps_in_the_middle_of_an_episode(tmp_path: Path) -> None:
    station = FakeStation(training(tmp_path, 25), 0.9)
    await station.start()
    for number in (0, 1):
        station.emit(e.EpisodeStarted(number, TRAINING))
        await step(station, number, 10)
        station.emit(ended(number, 10))
        await station.settle()
    station.emit(e.EpisodeStarted(2, TRAINING))
    await step(station, 2, 4)
    assert not station.task.done(), "24 of 25"
    await step(station, 2, 5)
    result = await asyncio.wait_for(station.task, 1)
    assert "online_steps reached" in result.reason
    assert not result.succeeded and not result.failed


async def test_steps_of_demonstrations_and_evaluations_do_not_count(tmp_path: Path) -> None:
    station = FakeStation(training(tmp_path, 25), None)
    await station.start()
    for kind in (DEMONSTRATION, e.EpisodeKind.EVALUATION):
        station.emit(e.EpisodeStarted(0, kind))
        await step(station, 0, 30)
        station.emit(ended(0, 30, kind))
        await station.settle()
    assert not station.task.done()
    station.task.cancel()


async def test_steps_of_an_episode_whose_actor_died_count(tmp_path: Path) -> None:
    station = FakeStation(training(tmp_path, 25), None)
    await station.start()
    station.emit(e.EpisodeStarted(0, TRAINING))
    await step(station, 0, 20)
    station.emit(e.EpisodeStarted(1, TRAINING))
    await step(station, 1, 5)
    assert (await asyncio.wait_for(station.task, 1)).reason.startswith("policy.online_steps")


async def test_a_run_that_goes_on_counts_what_it_did_before(tmp_path: Path) -> None:
    config = training(tmp_path, 25)
    config.run_dir.mkdir()
    book = EpisodeBook(config.run_dir)
    book.append(ended(0, 50, DEMONSTRATION))
    book.append(ended(1, 20))
    station = FakeStation(config, None)
    await station.start()
    assert not station.task.done()
    station.task.cancel()
    book.append(ended(2, 5))
    station = FakeStation(config, None)
    await station.start()
    assert station.task.done()
    assert not [order for _, order in station.orders if isinstance(order, Collect)]


async def test_a_recording_ends_when_its_episodes_are_saved() -> None:
    station = FakeStation(mode("record"), None)
    await station.start(RECORDING)
    assert station.orders == [("actor", Collect(DEMONSTRATION, 3))]
    station.emit(e.DatasetOpened("somewhere", 4, 40))
    for number, ended_by in enumerate((e.EndedBy.SUCCESS, e.EndedBy.RERECORD, e.EndedBy.FAILURE)):
        station.emit(e.EpisodeEnded(number, DEMONSTRATION, 0.0, 9, 0, 0, ended_by, 1.0))
    station.emit(e.EpisodeSaved(0, 4, 9, 1, 5, 49))
    await station.collected(DEMONSTRATION, 2, 3)
    assert (station.state.progress.phase, station.state.progress.done) == (e.Phase.RECORDING, 2)
    await station.collected(DEMONSTRATION, 3, 3)
    assert not station.task.done(), "the third one is not saved yet"
    station.emit(e.EpisodeSaved(2, 5, 9, 0, 6, 58))
    result = await asyncio.wait_for(station.task, 1)
    assert result.succeeded and result.reason == "3 episodes recorded in somewhere, which has 6 now"


async def test_a_replay_ends_after_its_episode() -> None:
    station = FakeStation(mode("replay"), None)
    await station.start(WITHOUT_LEARNER)
    assert station.orders == [("actor", Collect(e.EpisodeKind.REPLAY, 1))]
    assert "replaying episode 4" in station.state.progress.detail
    await station.collected(e.EpisodeKind.REPLAY, 1, 1)
    assert (await asyncio.wait_for(station.task, 1)).succeeded


async def test_a_run_without_a_policy_says_so_when_an_evaluation_is_asked_for() -> None:
    station = FakeStation(mode("record"), None)
    await station.start(WITHOUT_LEARNER)
    station.recipe.evaluate_now()
    assert "no policy to evaluate" in station.state.log[-1].text
    station.task.cancel()


async def test_a_failed_worker_ends_a_recording() -> None:
    station = FakeStation(mode("record"), None)
    await station.start(WITHOUT_LEARNER)
    station.emit(e.WorkerChanged("actor", e.WorkerState.FAILED, "the disk is full"))
    assert (await asyncio.wait_for(station.task, 1)).failed


@pytest.mark.parametrize(("config", "learners"), [(mode("record"), 0), (mode("replay"), 0), (altered({}), 1)])
def test_only_training_has_a_learner(config: Config, learners: int) -> None:
    board: Board = None  # type: ignore[assignment]  # nothing is started
    assert [spec.name for spec in crew(config, board)].count("learner") == learners


def test_the_consoles_are_told_what_the_mode_records() -> None:
    assert demonstrations_wanted(mode("record")) == 3
    assert demonstrations_wanted(mode("replay")) == 0
    assert demonstrations_wanted(altered({})) == 40
