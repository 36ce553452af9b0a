"""A run of training begins with the demonstrations of a dataset: taken in once, right, and again by a resume."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.altered import altered
from tests.dataset.shown import columns_for, episode, recorded_here, write
from tests.learner.runs import contents, go_on, tiny_config
from workers.config import Config
from workers.dataset import feed
from workers.dataset.demonstrations import Demonstrations
from workers.dataset.edit import relabel
from workers.dataset.units import state_units
from workers.learner.session import LearnerSession, SessionRefused
from workers.transport.sources import dataset_log


def fed_config(folder: Path, **changes: object) -> Config:
    """A tiny learner that is to begin with the dataset in `folder`/set."""
    config = tiny_config(folder, online=100, offline=100)
    return altered({"dataset.root": str(folder / "set"), **changes}, config)


def stored(session: LearnerSession) -> dict[str, np.ndarray]:
    """The demonstrations of a replay, oldest first."""
    store = session.replay._store
    slots = session.replay._demonstrations.all()
    following = store.next_slot[slots]
    return {
        "state": store.state[slots], "next_state": store.state[following],
        "images": store.pictures._images[slots], "next_images": store.pictures._images[following],
        "action": store.action[slots], "reward": store.reward[slots], "terminated": store.terminated[slots],
        "discrete_penalty": store.discrete_penalty[slots],
    }  # fmt: skip


def test_every_frame_of_a_demonstration_becomes_a_transition_with_its_follower(tmp_path: Path) -> None:
    config = fed_config(tmp_path)
    episodes = recorded_here(config, tmp_path / "set", [5, 7])
    session = LearnerSession(config)
    assert (session.replay.demonstration_size, session.replay.online_size, session.env_steps) == (12, 0, 0)
    found, units = stored(session), state_units(config)
    states = [units.from_dataset(frames["observation.state"]) for frames in episodes]
    followers = [np.concatenate([rows[1:], rows[-1:]]) for rows in states]
    assert (found["state"] == np.concatenate(states)).all()
    assert (found["next_state"] == np.concatenate(followers)).all()
    views = [
        np.stack([frames["observation.images.front"], frames["observation.images.side"]], axis=1)
        for frames in episodes
    ]
    assert (found["images"] == np.concatenate(views)).all()
    assert (found["next_images"][:4] == views[0][1:]).all()
    assert (found["next_images"][5:11] == views[1][1:]).all()
    for name, column in (("action", "action"), ("reward", "next.reward"), ("terminated", "next.success")):
        assert (found[name] == np.concatenate([frames[column] for frames in episodes])).all(), name
    penalties = np.concatenate([frames["complementary_info.discrete_penalty"] for frames in episodes])
    assert (found["discrete_penalty"] == penalties).all()
    session.close()


def test_a_start_after_the_first_takes_them_in_once_with_or_without_the_dataset(tmp_path: Path) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])
    LearnerSession(config).close()
    again = LearnerSession(config)
    assert again.replay.demonstration_size == 12
    again.close()
    shutil.rmtree(tmp_path / "set")
    without = LearnerSession(config)
    assert without.replay.demonstration_size == 12
    without.close()


def test_a_resumed_learner_goes_on_bit_by_bit(tmp_path: Path) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [9, 8, 9])
    session = LearnerSession(config)
    for _ in range(4):
        session.update()
    session.save_checkpoint(wait=True)
    resumed = LearnerSession(config, resume_required=True)
    assert contents(resumed) == contents(session)
    assert go_on(resumed, 4) == go_on(session, 4)
    assert contents(resumed) == contents(session)
    session.close(), resumed.close()


def test_a_kill_while_they_are_written_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])
    seen = 0

    def killed() -> None:
        nonlocal seen
        seen += 1
        if seen == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed.feed(config, killed)
    assert not dataset_log(config.run_dir).exists()
    session = LearnerSession(config)
    assert session.replay.demonstration_size == 12
    session.close()


def test_a_dataset_that_has_changed_is_not_taken_for_the_one_the_run_began_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])
    LearnerSession(config).close()
    shutil.rmtree(tmp_path / "set")
    recorded_here(config, tmp_path / "set", [5, 8, 9])
    session = LearnerSession(config)
    assert session.replay.demonstration_size == 12
    assert "has changed since; this run goes on with the 2 demonstrations" in caplog.text
    session.close()


def test_labels_that_were_corrected_are_in_the_offline_buffer_of_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [9, 8, 9])
    session = LearnerSession(config)
    before = stored(session)
    for _ in range(4):
        session.update()
    session.save_checkpoint(wait=True)
    session.close()
    relabel(tmp_path / "set", [0], reward=0.5, frames=(3, 4))  # a frame of a demonstration
    relabel(tmp_path / "set", [1], success=False)  # and one that is none any more
    resumed = LearnerSession(config, resume_required=True)
    assert (resumed.updates, resumed.replay.demonstration_size) == (4, 18)
    after = stored(resumed)
    expected = np.concatenate([before["reward"][:9], before["reward"][17:]])
    expected[3] = 0.5
    assert (after["reward"] == expected).all()
    kept = np.concatenate([before["state"][:9], before["state"][17:]])
    assert (after["state"] == kept).all()
    assert "labels of" in caplog.text and "2 demonstrations now, 3 before" in caplog.text
    resumed.update()
    resumed.close()


def test_after_a_correction_a_resume_is_bit_by_bit_again_and_older_checkpoints_still_load(
    tmp_path: Path,
) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [9, 8, 9])
    first = LearnerSession(config)
    first.update()
    first.save_checkpoint(wait=True)
    first.close()
    for number in (1, 0):  # twice: the first log's epoch is two behind then
        relabel(tmp_path / "set", [number], success=False)
        twice = LearnerSession(config, resume_required=True)
        assert twice.updates == 1
        twice.close()
    session = LearnerSession(config, resume_required=True)
    assert session.replay.demonstration_size == 9
    session.update()
    session.save_checkpoint(wait=True)
    resumed = LearnerSession(config, resume_required=True)
    assert contents(resumed) == contents(session)
    assert go_on(resumed, 3) == go_on(session, 3)
    session.close(), resumed.close()


def test_a_demonstration_that_was_taken_for_a_failure_comes_in_too(tmp_path: Path) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])
    relabel(tmp_path / "set", [0], success=False)
    LearnerSession(config).close()
    relabel(tmp_path / "set", [0], success=True)
    session = LearnerSession(config)
    assert session.replay.demonstration_size == 12
    assert stored(session)["terminated"].sum() == 2
    session.close()


def test_a_kill_while_corrected_labels_take_their_place_leaves_the_corrected_ones_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])
    LearnerSession(config).close()
    relabel(tmp_path / "set", [1], success=False)

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(feed, "sync_directory", killed)
        with pytest.raises(KeyboardInterrupt):
            LearnerSession(config)
    session = LearnerSession(config)
    assert session.replay.demonstration_size == 5
    session.close()


def test_a_dataset_that_is_not_there_refuses_the_learner(tmp_path: Path) -> None:
    with pytest.raises(SessionRefused, match=r"dataset\.root: there is no dataset in .*set; record one"):
        LearnerSession(fed_config(tmp_path))


def test_more_frames_than_the_offline_buffer_takes_are_refused_with_the_capacity_that_would(
    tmp_path: Path,
) -> None:
    config = fed_config(tmp_path, **{"policy.offline_buffer_capacity": 11})
    recorded_here(config, tmp_path / "set", [5, 7])
    with pytest.raises(SessionRefused, match=r"policy\.offline_buffer_capacity: 11, but .* 12 frames"):
        LearnerSession(config)


def test_a_full_disk_leaves_the_run_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.segment_writer.os.write", full)
        with pytest.raises(SessionRefused, match=r"is full.* The dataset is as it was"):
            LearnerSession(config)
    assert not [path for path in config.run_dir.iterdir() if "dataset" in path.name]
    session = LearnerSession(config)
    assert session.replay.demonstration_size == 12
    session.close()


def test_an_episode_cut_by_the_time_limit_has_no_made_up_next_state(tmp_path: Path) -> None:
    """It succeeded on the way (terminate_on_success = false); what follows its last frame is in no dataset."""
    config = fed_config(tmp_path)
    columns = columns_for(config)
    frames = episode(columns, 6, 0, success=False, units=state_units(config))
    frames["next.reward"][3] = 1.0
    write(tmp_path / "set", columns, [frames])
    session = LearnerSession(config)
    found = stored(session)
    assert len(found["state"]) == 5
    assert not found["terminated"].any()
    session.close()


def test_memory_stays_flat_whatever_the_length_of_the_dataset(tmp_path: Path) -> None:
    """Records are made one at a time: none is held back by whoever makes them."""
    import tracemalloc

    config = fed_config(tmp_path, **{"env.processor.image_preprocessing.resize_size": [64, 64]})
    recorded_here(config, tmp_path / "set", [40] * 40)
    records = Demonstrations(config, tmp_path / "set").records()
    next(records)
    tracemalloc.start()
    peaks = []
    for number, _ in enumerate(records):
        if number % 100 == 99:
            peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    filled = peaks[len(peaks) // 2 :]  # threads work ahead, up to 10 MB
    assert max(filled) - min(filled) < 5_000_000, peaks  # the whole is 40 MB of pictures


def test_the_note_of_a_run_says_what_it_was_fed_with(tmp_path: Path) -> None:
    config = fed_config(tmp_path)
    recorded_here(config, tmp_path / "set", [5, 7, 4], failed=(1,))
    LearnerSession(config).close()
    fed = feed.fed_before(config)
    assert fed is not None
    assert msgspec.structs.asdict(fed) | {"digest": "", "motion": ""} == {
        "dataset": str(tmp_path / "set"), "digest": "", "demonstrations": 2, "frames": 9,
        "motion": "", "replaced": (),
    }  # fmt: skip
