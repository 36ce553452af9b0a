"""What each mode asks of a dataset before anything moves, and where a dataset is written without `root`."""

from pathlib import Path

import numpy as np
import pytest

from tests.altered import altered
from tests.dataset.recorded import Recording, save, small
from workers.config import Config
from workers.dataset import hub
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.jobs import finished, prepared
from workers.dataset.layout import dataset_folder, read_info
from workers.dataset.read import read_episode
from workers.dataset.units import state_units
from workers.processors.time_limit import max_steps


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two episodes, exported."""
    config = small(tmp_path)
    with Recording(config) as made:
        made.episode(0, 5)
        made.episode(1, 8)
    save(config)
    return made


def replay(tmp_path: Path, episode: int = 1, **keys: object) -> Config:
    return altered({"mode": "replay", "dataset.replay_episode": episode, **keys}, small(tmp_path))


def test_the_dataset_goes_to_root_or_where_lerobot_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = altered({"dataset.repo_id": "kim/lift"}).dataset
    for variable in ("HF_LEROBOT_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert dataset_folder(dataset) == Path("~/.cache/huggingface/lerobot/kim/lift").expanduser()
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert dataset_folder(dataset) == Path("/c/huggingface/lerobot/kim/lift")
    monkeypatch.setenv("HF_HOME", "/hf")
    assert dataset_folder(dataset) == Path("/hf/lerobot/kim/lift")
    monkeypatch.setenv("HF_LEROBOT_HOME", "~/robots")
    assert dataset_folder(dataset) == Path("~/robots/kim/lift").expanduser()
    assert dataset_folder(altered({"dataset.root": "data/lift"}).dataset) == Path("data/lift")


def test_a_recorded_episode_is_read_back_as_it_was(recording: Recording, tmp_path: Path) -> None:
    info = read_info(tmp_path / "set")
    assert info is not None
    episode = read_episode(tmp_path / "set", info, 1)
    steps = recording.steps[1]
    assert np.array_equal(episode.actions, [step.action for step in steps])
    states = state_units(small(tmp_path)).to_dataset(np.stack([step.state for step in steps]))
    assert episode.states is not None and np.array_equal(episode.states, states)


def test_a_replay_lasts_as_long_as_the_recording(recording: Recording, tmp_path: Path) -> None:
    for episode, frames in ((0, 5), (1, 8)):
        assert max_steps(prepared(replay(tmp_path, episode)).env) == frames


def test_an_episode_that_is_not_there_is_refused_with_how_many_there_are(
    recording: Recording, tmp_path: Path
) -> None:
    with pytest.raises(DatasetRefused, match=r"^dataset\.replay_episode: no episode 2 in .*has 2, 0 to 1"):
        prepared(replay(tmp_path, 2))


def test_a_dataset_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused, match=r"^dataset\.root: there is no dataset in .*set"):
        prepared(replay(tmp_path))


def test_actions_and_rates_of_another_arm_are_refused(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused, match=r"float32 \[4\] .*this arm's are float32 \[3\]"):
        prepared(replay(tmp_path, **{"env.processor.gripper.use_gripper": False}))
    with pytest.raises(DatasetRefused, match=r"^env\.fps: 20, but .* at 10"):
        prepared(replay(tmp_path, **{"env.fps": 20.0}))


def test_a_half_downloaded_dataset_is_refused(recording: Recording, tmp_path: Path) -> None:
    data = tmp_path / "set/data/chunk-000/file-001.parquet"
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"episode 1 .* cannot be read: .*downloaded to its end"):
        prepared(replay(tmp_path))
    data.unlink()
    with pytest.raises(DatasetError, match="cannot be read"):
        prepared(replay(tmp_path))
    (tmp_path / "set/meta/info.json").write_text("{")
    with pytest.raises(DatasetError, match="not the description of a dataset"):
        prepared(replay(tmp_path))


def test_a_training_run_asks_nothing_of_a_dataset() -> None:
    config = altered({})
    assert prepared(config) is config


def test_what_was_recorded_is_said_and_uploaded_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(tmp_path)
    assert finished(config) == "no episode was kept"
    with Recording(config) as recording:
        recording.episode(0, 5)
    save(config)
    assert finished(config) == f"1 episode, 5 frames are in {tmp_path / 'set'}"
    pushed: list[tuple[Path, str]] = []
    monkeypatch.setattr(hub, "push", lambda root, repo_id: pushed.append((root, repo_id)))
    assert finished(small(tmp_path, push_to_hub=True)).endswith("as kim/lift, on the hub")
    assert pushed == [(tmp_path / "set", "kim/lift")]
