"""Every log of a run is found, under a name that stays."""

from pathlib import Path

from workers.transport.sources import actor_log, logs_of


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
