"""A running learner says, once, that the dataset it was fed with is another one now."""

from pathlib import Path

from tests.altered import altered
from tests.dataset.shown import recorded_here
from tests.learner.runs import tiny_config
from workers.config import Config
from workers.dataset.edit import relabel
from workers.learner.dataset_watch import DatasetWatch


def config(folder: Path) -> Config:
    return altered({"dataset.root": str(folder / "set")}, tiny_config(folder, online=100, offline=100))


def test_an_edit_is_told_once_and_the_next_one_again(tmp_path: Path) -> None:
    recorded_here(config(tmp_path), tmp_path / "set", [5, 7])
    watch = DatasetWatch(config(tmp_path))
    assert watch.changed() == ""
    relabel(tmp_path / "set", [0], success=False)
    assert "was edited" in watch.changed() and watch.changed() == ""
    relabel(tmp_path / "set", [0], success=True)
    assert "start it again" in " ".join(watch.changed().split())


def test_a_run_without_a_dataset_or_one_that_is_gone_has_nothing_to_tell(tmp_path: Path) -> None:
    assert DatasetWatch(tiny_config(tmp_path, online=100, offline=100)).changed() == ""
    gone = DatasetWatch(config(tmp_path))
    assert gone.changed() == ""
