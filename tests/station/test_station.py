"""What the station keeps for an actor that comes back, when it holds the arm, and how it says that a run is over."""

import asyncio
from pathlib import Path

import msgspec
import numpy as np
import pytest

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model import events as e
from workers.model.orders import Collect, Hold, Operate, Order, Rest
from workers.model.places import EVENTS_NAME
from workers.runtime.episode_book import EpisodeBook
from workers.station.server import Console as Attached
from workers.station.station import Station
from workers.teleop.device import DeviceWriter

ENDED = e.EpisodeEnded(7, e.EpisodeKind.TRAINING, 1.0, 30, 0, 0, e.EndedBy.SUCCESS, 3.0)


class Hands:
    """A worker's handle that only remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Order] = []

    def give(self, order: Order) -> None:
        self.given.append(order)


def config_in(folder: Path, lost: str = "hold") -> Config:
    config = load(ready_config())
    run = msgspec.structs.replace(config.run, directory=str(folder))
    chair = msgspec.structs.replace(config.operator, lost=lost)
    return msgspec.structs.replace(config, run=run, operator=chair)


def station_in(folder: Path, lost: str = "hold") -> tuple[Station, Hands]:
    station = Station(config_in(folder, lost), Path("c.toml"), None, wait_for_start=False)
    actor = Hands()
    station._handles["actor"] = actor  # type: ignore[assignment]
    station._fold(e.WorkerChanged("actor", e.WorkerState.RUNNING))
    return station, actor


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Station, Hands]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return station_in(tmp_path)


def notes(station: Station) -> list[str]:
    return [line.text for line in station.state.log if line.worker == "station"]


def after_restart(station: Station, actor: Hands) -> list[Order]:
    """What the actor is given when it comes back."""
    station._fold(e.WorkerChanged("actor", e.WorkerState.RESTARTING, "died of SIGKILL"))
    actor.given.clear()
    station._fold(e.WorkerChanged("actor", e.WorkerState.RUNNING))
    station._give_standing("actor")
    return actor.given


def test_pause_script_and_intervention_survive_the_actor(made: tuple[Station, Hands]) -> None:
    station, actor = made
    for command in (c.Pause(on=True), c.UseScript(on=True), c.Mark(c.Verdict.SUCCESS), c.Intervene(on=True)):
        station._on_command(command)
    assert after_restart(station, actor) == [
        Operate(c.Pause(on=True)),
        Operate(c.UseScript(on=False)),  # the intervention sent it away
        Operate(c.Intervene(on=True)),
    ]


def test_a_script_called_back_after_an_intervention_stays(made: tuple[Station, Hands]) -> None:
    station, actor = made
    station._on_command(c.Intervene(on=True))
    station._on_command(c.UseScript(on=True))
    assert after_restart(station, actor) == [Operate(c.Intervene(on=True)), Operate(c.UseScript(on=True))]


def test_nobody_drives_while_the_actor_restarts(made: tuple[Station, Hands]) -> None:
    station, _ = made
    station._fold(e.DriverChanged(e.Driver.POLICY))
    station._fold(e.WorkerChanged("actor", e.WorkerState.RESTARTING, "died of SIGKILL"))
    assert station.state.control.driver is e.Driver.NOBODY
    assert station.state.control.reason == "the actor restarts"


def test_a_reason_of_the_dead_actor_to_hold_is_gone_and_the_operators_is_not(
    made: tuple[Station, Hands],
) -> None:
    station, _ = made
    station._fold(e.PauseChanged(True, "the disk is full"))
    station._fold(e.WorkerChanged("actor", e.WorkerState.RESTARTING))
    assert not station.state.control.paused
    station._on_command(c.Pause(on=True))
    station._fold(e.WorkerChanged("actor", e.WorkerState.RUNNING))
    station._fold(e.PauseChanged(True, "paused by the operator"))
    station._fold(e.WorkerChanged("actor", e.WorkerState.RESTARTING))
    assert station.state.control.paused


def test_the_operators_pause_outlives_the_loss_and_return_of_the_lease(made: tuple[Station, Hands]) -> None:
    station, actor = made
    station._watch_lease(0.0)
    station._on_command(c.Pause(on=True))
    station._watch_lease(None)
    station._watch_lease(0.0)
    holds = [order for order in actor.given if isinstance(order, Hold)]
    assert [hold.on for hold in holds] == [True, False]
    assert holds[0].reason == holds[1].reason != ""
    assert Operate(c.Pause(on=False)) not in actor.given
    assert Operate(c.Pause(on=True)) in after_restart(station, actor)


def test_an_intervention_is_released_once_a_loss(made: tuple[Station, Hands]) -> None:
    station, actor = made
    station._fold(e.DriverChanged(e.Driver.HUMAN))
    for age_s in (0.1, 0.8, 0.9, 1.0, None):
        station._watch_lease(age_s)
    assert actor.given.count(Operate(c.Intervene(on=False))) == 1
    assert sum("intervention released" in note for note in notes(station)) == 1
    station._watch_lease(0.1)
    station._watch_lease(0.8)
    assert actor.given.count(Operate(c.Intervene(on=False))) == 2


def test_an_intervention_is_released_between_episodes_too(made: tuple[Station, Hands]) -> None:
    """Else the next episode would begin in the hands of somebody who is gone."""
    station, actor = made
    station._fold(e.SeatChanged(taken=True))
    station._fold(e.DriverChanged(e.Driver.NOBODY, e.SET_UP))
    station._watch_lease(0.8)
    assert actor.given.count(Operate(c.Intervene(on=False))) == 1


def test_nobody_has_the_arm_of_an_actor_that_died(made: tuple[Station, Hands]) -> None:
    """A trigger that was held is asked for anew; the intervene key is given again."""
    station, _ = made
    station._fold(e.WorkerChanged("actor", e.WorkerState.RUNNING))
    station._fold(e.SeatChanged(taken=True))
    station._fold(e.WorkerChanged("actor", e.WorkerState.RESTARTING, "died of SIGKILL"))
    assert not station.state.control.taken


def test_who_holds_a_trigger_is_there_without_a_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    station, actor = station_in(tmp_path, lost="continue")
    station._fold(e.DriverChanged(e.Driver.HUMAN))
    DeviceWriter(station._board.teleop, "gamepad").write(True, np.zeros(3))
    station._watch_lease(None)
    assert actor.given == [] and notes(station) == []
    DeviceWriter(station._board.teleop, "gamepad").write(False, np.zeros(3))
    station._watch_lease(None)
    assert actor.given == [Operate(c.Intervene(on=False))], "the intervene key's hold is released as ever"


def test_a_run_that_nobody_ever_attended_says_what_it_waits_for(made: tuple[Station, Hands]) -> None:
    station, actor = made
    station._watch_lease(None)
    station._watch_lease(None)
    assert isinstance(actor.given[-1], Hold)
    (note,) = notes(station)
    assert "hilserl-tui attach sim_pick_lift" in note
    assert 'operator.lost = "continue"' in note


def test_a_run_that_may_go_on_alone_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    station, actor = station_in(tmp_path, lost="continue")
    station._watch_lease(None)
    assert actor.given == []


def test_what_the_run_had_is_shown_again_and_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    run_dir = config_in(tmp_path).run_dir
    run_dir.mkdir()
    EpisodeBook(run_dir).append(ENDED)
    station, _ = station_in(tmp_path)
    assert [episode.episode for episode in station.state.episodes] == [7]
    assert b"EpisodeEnded" not in (run_dir / EVENTS_NAME).read_bytes()


async def test_a_duty_that_fails_ends_the_run_as_failed(made: tuple[Station, Hands]) -> None:
    station, _ = made

    async def break_down() -> None:
        raise OSError("no memory to speak with")

    duty = asyncio.create_task(break_down())
    await asyncio.wait({duty})
    station._on_duty_done(duty)
    ended = await station._run_recipe()
    assert ended.failed and not ended.succeeded
    assert "no memory to speak with" in ended.reason


async def test_shutting_down_is_no_failure(made: tuple[Station, Hands]) -> None:
    station, _ = made
    station._on_command(c.ShutDown())
    ended = await station._run_recipe()
    assert not ended.failed
    assert ended.reason == "stopped by the operator"


async def test_a_result_nobody_looks_at_ends_the_station(made: tuple[Station, Hands]) -> None:
    station, _ = made
    await asyncio.wait_for(station._until_read(), 1)
    attached = station._server._consoles
    attached.append(Attached("me", None))  # type: ignore[arg-type]
    reading = asyncio.create_task(station._until_read())
    await asyncio.sleep(0.05)
    assert not reading.done()
    attached.clear()
    station._note("the console left")
    await asyncio.wait_for(reading, 1)


def test_an_actor_that_restarts_after_the_end_rests(made: tuple[Station, Hands]) -> None:
    station, actor = made
    station.stand("actor", Collect(e.EpisodeKind.TRAINING))
    station.stand("actor", Rest())
    assert after_restart(station, actor)[-1] == Rest()
