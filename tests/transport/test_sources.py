"""Every log of a run is found, under a name that stays."""

from pathlib import Path

from tests.transport.linked import FEATURES
from workers.transport.log import LogWriter
from workers.transport.sources import DATASET, LOCAL, actor_log, dataset_log, logs_of


def test_a_run_without_logs_has_none(tmp_path: Path) -> None:
    assert logs_of(tmp_path) == {}


def test_the_local_log_and_those_of_linked_actors_are_found(tmp_path: Path) -> None:
    left = actor_log(tmp_path, "left", 255)
    right = actor_log(tmp_path, "right", 2**64 - 1)
    for directory in (right, left, tmp_path / "log"):
        directory.mkdir(parents=True)
    (tmp_path / "actors" / "notes.txt").write_text("no log")
    found = logs_of(tmp_path)
    assert found == {"": tmp_path / "log", "left-00000000000000ff": left, "right-ffffffffffffffff": right}
    assert list(found) == sorted(found)


def local_log(run_dir: Path) -> int:
    """Begin the log of a local actor; its epoch."""
    with LogWriter(run_dir / "log", FEATURES) as log:
        return log.epoch


def test_the_log_of_a_carried_run_is_its_actors_log_and_is_read_once(tmp_path: Path) -> None:
    epoch = local_log(tmp_path)
    assert actor_log(tmp_path, "arm", epoch) == tmp_path / "log"
    assert logs_of(tmp_path) == {"": tmp_path / "log"}
    assert actor_log(tmp_path, "left", epoch + 1).parent == tmp_path / "actors"


def test_a_run_carried_back_goes_on_in_its_log_under_the_name_that_checkpoints_know(tmp_path: Path) -> None:
    arm = actor_log(tmp_path, "arm", 255)
    arm.mkdir(parents=True)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "epoch").write_text(f"{255:016x}")
    assert logs_of(tmp_path) == {arm.name: tmp_path / "log"}
    assert actor_log(tmp_path, "arm", 255) == tmp_path / "log"


def test_an_actor_that_is_renamed_keeps_its_log(tmp_path: Path) -> None:
    arm = actor_log(tmp_path, "arm", 255)
    arm.mkdir(parents=True)
    assert actor_log(tmp_path, "left", 255) == arm


def test_the_demonstrations_of_a_dataset_come_before_what_actors_recorded(tmp_path: Path) -> None:
    left = actor_log(tmp_path, "left", 255)
    for directory in (left, tmp_path / "log", dataset_log(tmp_path)):
        directory.mkdir(parents=True)
    assert list(logs_of(tmp_path)) == [DATASET, LOCAL, left.name]
    assert logs_of(tmp_path)[DATASET] == dataset_log(tmp_path)
