"""What the station says to the robot worker of a real arm: confirmations, hands, ends."""

import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.robot.servo_cell import real_config
from workers.config import load
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model.events import Level, LogLine, WorkerChanged, WorkerState
from workers.station.crew import crew
from workers.station.station import Station


def station_in(folder: Path, simulated: bool = False, confirmed: bool = False) -> Station:
    config = load(ready_config()) if simulated else real_config()
    config = msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, directory=str(folder)))
    if not simulated:
        config = msgspec.structs.replace(
            config, operator=msgspec.structs.replace(config.operator, scripted=False)
        )
    config.run_dir.mkdir(parents=True)
    return Station(config, Path("c.toml"), None, wait_for_start=False, confirmed=confirmed)


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def word(station: Station) -> np.void:
    read = station._board.word.read()
    assert read is not None
    said: np.void = read[1]
    return said


def test_the_first_motion_is_confirmed_by_a_console_or_by_the_command_line(tmp_path: Path) -> None:
    station = station_in(tmp_path / "a")
    station._word.speak()
    assert word(station)["confirmed"] == 0
    station._on_command(c.ConfirmMotion())
    assert word(station)["confirmed"] == 1
    assert word(station_in(tmp_path / "b", confirmed=True))["confirmed"] == 1


def test_a_cleared_stop_acknowledges_faults_that_nobody_pressed(tmp_path: Path) -> None:
    station = station_in(tmp_path)
    station._on_command(c.ClearStop())
    assert word(station)["acknowledged"] == 1 and word(station)["clears"] == 0
    station.stop_arm("me")
    station._on_command(c.ClearStop())
    assert word(station)["acknowledged"] == 2 and word(station)["clears"] == word(station)["stops"] == 1


def test_an_arm_is_let_go_until_a_stop_or_a_word(tmp_path: Path) -> None:
    station = station_in(tmp_path)
    station._on_command(c.LetGo(on=True))
    assert word(station)["let_go"] == 1
    station._on_command(c.LetGo(on=False))
    assert word(station)["let_go"] == 0
    station._on_command(c.LetGo(on=True))
    assert word(station)["let_go"] == 2, "a new request, whoever restarted meanwhile"
    station.stop_arm("me")
    assert word(station)["let_go"] == 0


def test_the_simulated_arm_is_not_let_go_and_that_is_said(tmp_path: Path) -> None:
    station = station_in(tmp_path, simulated=True)
    station._on_command(c.LetGo(on=True))
    station._word.speak()
    assert word(station)["let_go"] == 0
    assert "no torque to take off" in station.state.log[-1].text


@pytest.mark.parametrize(
    ("signals", "abandoned"),
    [
        ((signal.SIGINT,), 0),
        ((signal.SIGINT, signal.SIGINT), 1),
        ((signal.SIGHUP, signal.SIGTERM, signal.SIGINT), 0),
    ],
)
def test_only_a_second_ctrl_c_leaves_the_arm_unparked(
    tmp_path: Path, signals: tuple[signal.Signals, ...], abandoned: int
) -> None:
    station = station_in(tmp_path)
    heard: list[str] = []
    station.listen(lambda event: heard.append(event.text) if isinstance(event, LogLine) else None)
    station._word.speak()
    for number in signals:
        station._on_signal(number)
    assert station._shutdown.is_set()
    assert word(station)["abandoned"] == abandoned
    assert any("torque ON" in text for text in heard) == bool(abandoned)


def test_a_second_ctrl_c_says_nothing_of_an_arm_that_is_parked(tmp_path: Path) -> None:
    station = station_in(tmp_path)
    station._on_signal(signal.SIGINT)
    station._fold(LogLine("robot", Level.WARNING, "parked; torque off", 0.0))
    station._fold(WorkerChanged("robot", WorkerState.STOPPED))
    station._on_signal(signal.SIGINT)
    assert not any("torque ON" in line.text for line in station.state.log)


def test_a_real_arm_has_a_guardian_and_time_to_park(tmp_path: Path) -> None:
    station = station_in(tmp_path)
    specs = {spec.name: spec for spec in crew(real_config(), station._board)}
    assert specs["robot"].stop_s > 15.0 and specs["guardian"].stop_s > specs["robot"].stop_s
    simulated = {spec.name: spec for spec in crew(load(ready_config()), station._board)}
    assert "guardian" not in simulated and simulated["robot"].stop_s == 3.0
