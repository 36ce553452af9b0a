"""Before a run learns from a classifier, it is examined; one that fires at reset ends the run."""

import asyncio
from pathlib import Path

from tests.altered import altered
from tests.station.recipe_station import FakeStation
from workers.config import Config
from workers.model import events as e
from workers.model.orders import Collect, Examine, Learn
from workers.station.tell import run_opened


def config(**classifier: object) -> Config:
    used = {"pretrained_path": "me/judge", "success_threshold": 0.6, **classifier}
    return altered({"run.directory": "no-such-folder", "env.processor.reward_classifier": used})


def said(*probabilities: float) -> e.ClassifierExamined:
    return e.ClassifierExamined(probabilities, 0.6, "runs/it/classifier_check")


async def test_nothing_is_recorded_or_learned_before_the_classifier_was_asked() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    assert station.orders == [("actor", Examine(20))]
    assert "20 frames" in station.state.progress.detail
    station.emit(said(*[0.1] * 20))
    await station.settle()
    assert station.orders[1:3] == [("actor", Examine(0)), ("learner", Learn(True))]
    assert station.collecting() == Collect(e.EpisodeKind.DEMONSTRATION, 40)
    station.task.cancel()


async def test_one_that_fires_at_reset_ends_the_run_and_says_why_and_what_to_do() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    station.emit(said(0.1, 0.7, 0.93, *[0.2] * 17))
    ended = await asyncio.wait_for(station.task, 1)
    assert ended.failed and not ended.succeeded
    for words in (
        "2 of 20",
        "0.93",
        "0.6",
        "Likely cause",
        "What to do",
        "runs/it/classifier_check",
    ):
        assert words in ended.reason
    assert not any(isinstance(order, Collect | Learn) for _, order in station.orders)


async def test_at_the_threshold_counts_as_firing_as_it_does_in_a_run() -> None:
    station = FakeStation(config(), 0.9)
    await station.start()
    station.emit(said(*[0.1] * 19, 0.6))
    assert (await asyncio.wait_for(station.task, 1)).failed


async def test_neither_the_stand_in_nor_one_that_decides_nothing_is_examined() -> None:
    for used in (config(pretrained_path="simulated"), config(decides=False)):
        station = FakeStation(used, 0.9)
        await station.start()
        assert station.orders[0] == ("learner", Learn(True))
        station.task.cancel()


def test_the_consoles_are_told_of_the_classifier_where_episodes_are_shown_to_it() -> None:
    def told(config: Config) -> e.ClassifierUsed | None:
        return run_opened(config, Path("it.toml"), ()).classifier

    assert told(config(veto_s=2.0)) == e.ClassifierUsed("me/judge", 0.6, 3, 4, 2.0)
    assert told(altered({})) is None
    stand_in = told(config(pretrained_path="simulated"))
    assert stand_in is not None and stand_in.stand_in
    assert told(altered({"mode": "find-limits"}, config())) is None
