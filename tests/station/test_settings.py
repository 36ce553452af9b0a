"""Settings read again by the station: checked first, shown, and handed to the workers that have them."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workers.config import Config, ConfigError, load
from workers.config.live import Difference
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model import events as e
from workers.model.orders import ChangeSettings, Order
from workers.station import settings as settings_module
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


class Gated:
    """A file that two threads read at once; each gets its own text, and the first is held up after it has it."""

    def __init__(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self._configs = []
        for penalty in ("-0.05", "-0.5"):
            run.write(("gripper_penalty = -0.02", f"gripper_penalty = {penalty}"))
            self._configs.append(load(run.path))
        self._first_goes_on = threading.Event()
        self._compares, self._count = settings_module.differences, 0
        monkeypatch.setattr(settings_module, "differences", self._differences)
        self.settings = LiveSettings(self._read, run.config)

    def read_both(
        self, meanwhile: Callable[[e.SettingsRead], object] = lambda second: None
    ) -> tuple[e.SettingsRead, e.SettingsRead]:
        with ThreadPoolExecutor() as threads:
            first = threads.submit(self.settings.read, 1)
            while not self._count:
                time.sleep(0.001)
            second = threads.submit(self.settings.read, 2).result(10.0)
            meanwhile(second)
            self._first_goes_on.set()
            return first.result(10.0), second

    def _read(self) -> Config:
        return self._configs.pop(0)

    def _differences(self, *both: Config) -> list[Difference]:
        self._count += 1
        found = self._compares(*both)
        if self._count == 1:
            assert self._first_goes_on.wait(10.0)
        return found


def test_of_two_who_read_at_once_nobody_applies_what_only_the_other_was_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "env.processor.gripper.gripper_penalty"
    gated = Gated(run, monkeypatch)
    first, second = gated.read_both()
    assert [read.changes[0].after for read in (first, second)] == ["-0.05", "-0.5"]
    assert gated.settings.apply(second.digest) is None, "the first one's was the last to be told"
    assert gated.settings.apply(first.digest) == {"actor": {key: -0.05}}


def test_what_was_compared_before_another_change_is_not_applied_after_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated = Gated(run, monkeypatch)
    first, _ = gated.read_both(lambda second: gated.settings.apply(second.digest))
    assert first.changes[0].before == "-0.02", "the run has -0.5 by now"
    assert gated.settings.apply(first.digest) is None


def test_the_second_of_two_who_were_shown_the_same_is_told_to_look_again(run: Run) -> None:
    run.write(PENALTY)
    first, second = run.settings.read(1), run.settings.read(2)
    told: list[str] = []
    given: list[str] = []
    config = run.config
    for read in (first, second):
        config = run.settings.hand_out(
            read.digest, config, lambda worker, order: given.append(worker), told.append
        )
    assert given == ["actor"] and len(told) == 1 and told[0].endswith("look again")


def test_what_was_shown_before_another_change_is_not_applied_on_top_of_it(run: Run) -> None:
    run.write(PENALTY)
    earlier = run.settings.read(1)
    run.write(("gripper_penalty = -0.02", "gripper_penalty = -0.5"))
    assert run.settings.apply(run.settings.read(2).digest) is not None
    run.write(PENALTY)
    again = run.settings.read(3)
    assert run.settings.apply(earlier.digest) is None, "it was shown from -0.02, the run has -0.5"
    assert again.changes[0].before == "-0.5"


def test_a_reader_that_breaks_says_so_and_the_next_try_works(run: Run) -> None:
    run.write(PENALTY)
    broken = [OSError("Stale file handle")]

    def reread() -> Config:
        if broken:
            raise broken.pop()
        return load(run.path)

    settings = LiveSettings(reread, run.config)
    read = settings.read(5)
    assert read.number == 5 and not read.digest
    assert "Stale file handle" in read.problems and "try again" in read.problems
    assert settings.apply(settings.read(6).digest) is not None


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


async def test_what_belongs_to_a_worker_that_is_not_there_waits_for_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run.path.parent))
    station = Station(run.config, run.path, None, wait_for_start=True, settings=run.settings)
    actor = Hands()
    station._handles["actor"] = actor  # type: ignore[assignment]
    del station._handles["learner"]
    run.write(PENALTY, ("utd_ratio = 2", "utd_ratio = 5"))
    station._on_command(c.ApplySettings(run.settings.read(1).digest))
    assert actor.given == [ChangeSettings({"env.processor.gripper.gripper_penalty": -0.05})]
    learner = Hands()
    station._handles["learner"] = learner  # type: ignore[assignment]
    station._give_standing("learner")
    assert ChangeSettings({"algorithm.utd_ratio": 5}) in learner.given
