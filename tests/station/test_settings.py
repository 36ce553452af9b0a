"""Settings read again by the station: checked first, shown, and handed to the workers that have them."""

import asyncio
from pathlib import Path

import pytest

from workers.config import ConfigError, load
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model import events as e
from workers.model.orders import ChangeSettings, Order
from workers.station.opening import StationRefused
from workers.station.settings import LiveSettings
from workers.station.station import Station

TEXT = ready_config().read_text()


class Run:
    """A configuration file, and the settings of a run of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "c.toml"
        self.write()
        self.config = load(self.path)
        self.settings = LiveSettings(self._read, self.config)

    def write(self, *pairs: tuple[str, str]) -> None:
        text = TEXT.replace('directory = "runs"', f'directory = "{self.path.parent}"', 1)
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        self.path.write_text(text)

    def _read(self):
        try:
            return load(self.path)
        except ConfigError as error:
            raise StationRefused(str(error)) from error


PENALTY = ("gripper_penalty = -0.02", "gripper_penalty = -0.05")
SEED = ("seed = 1000", "seed = 7")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_reading_changes_nothing_and_says_what_would(run: Run) -> None:
    run.write(PENALTY, SEED)
    read = run.settings.read(3)
    assert read.number == 3 and read.digest and not read.problems
    assert [(change.key, bool(change.owners)) for change in read.changes] == [
        ("env.processor.gripper.gripper_penalty", True),
        ("run.seed", False),
    ]


def test_a_wrong_file_is_told_with_its_line_and_cannot_be_applied(run: Run) -> None:
    run.write(("gripper_penalty = -0.02", "gripper_penalty = 3"))
    read = run.settings.read(1)
    assert f"{run.path}:" in read.problems and "gripper_penalty" in read.problems
    assert not read.changes and not read.digest
    assert run.settings.apply(read.digest) is None


def test_only_what_was_shown_is_applied_and_only_once(run: Run) -> None:
    run.write(PENALTY, SEED)
    first = run.settings.read(1)
    run.write(("gripper_penalty = -0.02", "gripper_penalty = -0.5"))
    assert run.settings.apply(first.digest) == {"actor": {"env.processor.gripper.gripper_penalty": -0.05}}
    assert run.settings.apply(first.digest) is None


def test_what_was_shown_to_one_is_not_applied_after_another_read_a_newer_file(run: Run) -> None:
    run.write(PENALTY)
    first = run.settings.read(1)
    run.write(("gripper_penalty = -0.02", "gripper_penalty = -0.5"))
    run.settings.read(2)
    assert run.settings.apply(first.digest) is None


def test_what_cannot_change_is_still_told_after_the_rest_has_changed(run: Run) -> None:
    run.write(PENALTY, SEED)
    run.settings.apply(run.settings.read(1).digest)
    again = run.settings.read(2)
    assert [change.key for change in again.changes] == ["run.seed"]
    assert not again.digest


def test_a_worker_gets_all_that_changed_since_the_start(run: Run) -> None:
    run.write(PENALTY)
    run.settings.apply(run.settings.read(1).digest)
    run.write(PENALTY, ("control_time_s = 4.0", "control_time_s = 6.0"))
    assert run.settings.apply(run.settings.read(2).digest) == {
        "actor": {
            "env.processor.gripper.gripper_penalty": -0.05,
            "env.processor.reset.control_time_s": 6.0,
        }
    }


class Hands:
    def __init__(self) -> None:
        self.given: list[Order] = []

    def give(self, order: Order) -> None:
        self.given.append(order)


async def test_the_station_answers_hands_out_and_takes_its_own(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run.path.parent))
    station = Station(run.config, run.path, None, wait_for_start=True, settings=run.settings)
    actor, learner = Hands(), Hands()
    station._handles |= {"actor": actor, "learner": learner}  # type: ignore[dict-item]
    heard: list[e.Event] = []
    station.listen(heard.append)
    run.write(PENALTY, ("utd_ratio = 2", "utd_ratio = 5"), ("episodes = 50", "episodes = 10"))
    station._on_command(c.ReadSettings(9))
    while not any(isinstance(event, e.SettingsRead) for event in heard):
        await asyncio.sleep(0.01)
    read = station.state.settings
    assert read is not None and read.number == 9
    assert not actor.given and not learner.given
    station._on_command(c.ApplySettings(read.digest))
    assert actor.given == [ChangeSettings({"env.processor.gripper.gripper_penalty": -0.05})]
    assert learner.given == [ChangeSettings({"algorithm.utd_ratio": 5})]
    assert station.state.run is not None and station.state.run.utd_target == 5
    assert station._recipe._config.evaluation.episodes == 10
    assert any("evaluation.episodes is 10 now" in line.text for line in station.state.log)
    actor.given.clear()
    station._give_standing("actor")  # it was started again
    assert ChangeSettings({"env.processor.gripper.gripper_penalty": -0.05}) in actor.given
