"""The recipe: demonstrations first, training until it looks ready, the evaluation decides."""

import asyncio

import msgspec

from tests.altered import altered
from tests.station.recipe_station import WORKERS, FakeStation
from workers.config import Config, EvaluationConfig
from workers.model import events as e
from workers.model.orders import Attend, Collect, Learn


def config() -> Config:
    change = {"operator.demonstrations": 20, "evaluation.start_after_episodes": 0}
    return altered({"run.directory": "no-such-folder"} | change)


async def test_nothing_is_ordered_before_every_worker_runs() -> None:
    station = FakeStation(config(), 0.9)
    for worker in WORKERS[:-1]:
        station.emit(e.WorkerChanged(worker, e.WorkerState.RUNNING))
        station.emit(e.WorkerChanged(WORKERS[-1], e.WorkerState.STARTING))
    await station.settle()
    assert station.orders == []
    station.task.cancel()


async def test_a_run_goes_from_demonstrations_to_a_passed_evaluation() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    assert ("learner", Learn(True)) in station.orders
    assert station.collecting() == Collect(e.EpisodeKind.DEMONSTRATION, 20)
    await station.collected(e.EpisodeKind.DEMONSTRATION, 7, 20)
    assert (station.state.progress.phase, station.state.progress.done) == (e.Phase.RECORDING, 7)
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING)
    await station.train(20, 20, success=True)
    assert station.collecting() == Collect(e.EpisodeKind.EVALUATION, 50, give_up_after=6)
    await station.evaluated(46, 50)
    ended = await asyncio.wait_for(station.task, 1)
    assert ended.succeeded and "92%" in ended.reason


async def test_a_failed_evaluation_goes_back_to_training() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    await station.train(20, 20, success=True)
    await station.evaluated(10, 16)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING)
    await station.train(40, 5, success=True)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING), "not at once again"
    await station.train(45, 20, success=True)
    assert station.collecting().kind is e.EpisodeKind.EVALUATION
    station.task.cancel()


async def test_after_so_many_episodes_an_evaluation_is_made_whatever_their_success() -> None:
    station = FakeStation(
        msgspec.structs.replace(config(), evaluation=EvaluationConfig(start_after_episodes=8)), 0.9
    )
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    await station.train(20, 7, success=False)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING)
    await station.train(27, 1, success=False)
    assert station.collecting() == Collect(e.EpisodeKind.EVALUATION, 50, give_up_after=6)
    await station.evaluated(0, 6)
    await station.train(28, 1, success=False)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING), "not at once again"
    station.task.cancel()


async def test_helped_episodes_do_not_call_for_an_evaluation() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    await station.train(20, 30, success=True, by_human=3)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING)
    station.task.cancel()


async def test_the_operator_may_ask_for_an_evaluation_any_time() -> None:
    station = FakeStation(config(), None)
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    station.recipe.evaluate_now()
    station.emit(e.LogLine("x", e.Level.INFO, "wake"))
    await station.settle()
    assert station.collecting() == Collect(e.EpisodeKind.EVALUATION, 50)
    await station.evaluated(50, 50)
    assert station.collecting() == Collect(e.EpisodeKind.TRAINING), "without a goal training goes on"
    station.task.cancel()


async def test_the_scripted_person_helps_less_as_the_policy_improves() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    await station.train(20, 15, success=False)
    struggling = [order.probability for _, order in station.orders if isinstance(order, Attend)][-1]
    await station.train(35, 9, success=True)
    improving = [order.probability for _, order in station.orders if isinstance(order, Attend)][-1]
    assert improving < struggling
    station.task.cancel()


async def test_a_worker_that_failed_for_good_ends_the_run_with_its_reason() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    station.emit(e.WorkerChanged("camera-front", e.WorkerState.FAILED, "no EGL; install libegl1"))
    ended = await asyncio.wait_for(station.task, 1)
    assert not ended.succeeded
    assert "camera-front" in ended.reason and "install libegl1" in ended.reason


async def test_a_run_that_has_its_demonstrations_goes_straight_to_training() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    await station.collected(e.EpisodeKind.DEMONSTRATION, 20, 20)
    assert station.collecting().kind is e.EpisodeKind.TRAINING
    station.task.cancel()
