"""Nothing of anybody else's is written over, and a kill or a full disk leaves the dataset that was there."""

import json
import shutil
from pathlib import Path

import pytest

from tests.altered import altered
from tests.dataset.recorded import Recording, renamed, small
from workers.config import Config
from workers.dataset.columns import columns_of
from workers.dataset.contents import Contents
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.export import export_run
from workers.dataset.jobs import prepared
from workers.dataset.target import Target
from workers.processors.build import pipelines_of


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A run with one exported episode."""
    made = small(tmp_path)
    with Recording(made) as recording:
        recording.episode(0, 3)
    export_run(made, tmp_path / "set")
    return made


def info(root: Path) -> dict[str, object]:
    return json.loads((root / "meta/info.json").read_bytes())


def test_a_run_that_went_on_replaces_its_own_dataset(config: Config, tmp_path: Path) -> None:
    with Recording(config) as recording:
        recording.episode(1, 4)
    assert export_run(config, tmp_path / "set").episodes == 2
    assert info(tmp_path / "set")["total_episodes"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "set"]


def test_a_dataset_of_another_run_is_left_alone(config: Config, tmp_path: Path) -> None:
    other = renamed(config, "other")
    with Recording(other) as recording:
        recording.episode(0, 9)
    with pytest.raises(DatasetRefused, match=r"of the run 'sim_pick_lift' \(1 episode\).*another folder"):
        export_run(other, tmp_path / "set")
    assert info(tmp_path / "set")["total_frames"] == 3


def test_a_run_begun_anew_under_an_old_name_is_another_run(config: Config, tmp_path: Path) -> None:
    shutil.rmtree(config.run_dir)
    config.run_dir.mkdir()
    with pytest.raises(DatasetRefused, match="of the run 'sim_pick_lift'"):
        prepared(config)


def test_other_features_are_refused_with_the_difference(config: Config, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetRefused, match=r"observation\.state: float32 \[16\].*here, float32 \[22\].*there"
    ):
        prepared(altered({"env.processor.observation.add_joint_velocity_to_observation": False}, config))
    with pytest.raises(DatasetRefused, match="fps: 5 here, 10 there"):
        prepared(altered({"env.fps": 5.0}, config))
    one_camera = altered({"env.robot.cameras": {"front": {"type": "sim"}}}, config)
    with pytest.raises(DatasetRefused, match=r"observation\.images\.side: nothing here, image \[32, 40, 3\]"):
        prepared(one_camera)


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    config = small(tmp_path)
    (tmp_path / "set").mkdir()
    assert prepared(config) == config, "an empty folder will do"
    (tmp_path / "set" / "thesis.tex").touch()
    with pytest.raises(DatasetRefused, match="not empty, and no dataset"):
        prepared(config)


def test_an_older_version_of_the_format_is_named(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "set/meta/info.json"
    path.write_text(path.read_text().replace("v3.0", "v1.6"))
    with pytest.raises(DatasetError, match=r"version v1\.6.*reads v2\.0, v2\.1 and v3\.0"):
        prepared(config)


def test_a_full_disk_leaves_what_was_there_and_says_that_nothing_is_lost(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recording(config) as recording:
        recording.episode(1, 4)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Contents, "prepare", full)
    with pytest.raises(DatasetError, match=r"disk is full.*Nothing is lost.*log"):
        export_run(config, tmp_path / "set")
    assert info(tmp_path / "set")["total_episodes"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "set"]


def test_a_kill_between_the_two_renames_is_made_good(config: Config, tmp_path: Path) -> None:
    (tmp_path / "set").rename(tmp_path / ".set.old")
    Target(tmp_path / "set", config.run_dir).check(columns_of(pipelines_of(config).stored), 10.0)
    assert info(tmp_path / "set")["total_episodes"] == 1
