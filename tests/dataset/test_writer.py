"""Every episode that was saved is in the dataset, whatever happens to the next one."""

import contextlib
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.dataset.made import COLUMNS, FPS, FRONT, SIDE, add_frames, frame, opened, record, tree
from workers.dataset import contents, durable
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.layout import Column
from workers.dataset.reader import Dataset
from workers.dataset.writer import DatasetWriter

both = pytest.mark.parametrize("video", [False, True], ids=["png", "video"])


def holds(root: Path, *lengths: int) -> None:
    """Assert that the dataset has episodes of these lengths, with the frames of `made.frame`."""
    dataset = Dataset(root)
    assert [episode.length for episode in dataset.episodes] == list(lengths)
    video = dataset.info.features[FRONT].dtype == "video"
    for episode in dataset.episodes:
        frames = dataset.frames(episode.index)
        expected = [frame(episode.index, step, step == episode.length - 1) for step in range(episode.length)]
        for key in COLUMNS:
            wanted = np.stack([row[key] for row in expected]).reshape(frames[key].shape)
            if key in (FRONT, SIDE) and video:
                assert np.abs(frames[key].astype(int) - wanted).mean() < 4, key
            else:
                assert np.array_equal(frames[key], wanted), key
        assert frames["index"].tolist() == list(range(episode.first, episode.first + episode.length))
        assert frames["episode_index"].tolist() == [episode.index] * episode.length
        assert np.array_equal(frames["timestamp"], (np.arange(episode.length) / FPS).astype(np.float32))


@both
def test_what_was_added_is_read_back(tmp_path: Path, video: bool) -> None:
    record(tmp_path, 5, 33, 1, video=video)
    holds(tmp_path, 5, 33, 1)


@both
def test_opening_a_dataset_again_goes_on_with_it(tmp_path: Path, video: bool) -> None:
    record(tmp_path, 4, 3, video=video)
    before = tree(tmp_path)
    record(tmp_path, 6, video=video)
    holds(tmp_path, 4, 3, 6)
    frames = {name: content for name, content in before.items() if name.startswith(("data", "videos"))}
    assert frames.items() <= tree(tmp_path).items(), "what was recorded before is not written again"


@both
def test_every_episode_has_its_own_task(tmp_path: Path, video: bool) -> None:
    for task in ("lift", "push", "lift"):
        record(tmp_path, 20, video=video, task=task)
    dataset = Dataset(tmp_path)
    assert [episode.tasks for episode in dataset.episodes] == [("lift",), ("push",), ("lift",)]
    assert [dataset.frames(number, ["task_index"])["task_index"].tolist() for number in range(3)] == [
        [0] * 20, [1] * 20, [0] * 20,
    ]  # fmt: skip
    assert dataset.tasks == ["lift", "push"] and dataset.info.total_tasks == 2
    holds(tmp_path, 20, 20, 20)


@both
def test_a_dropped_episode_was_never_there(tmp_path: Path, video: bool) -> None:
    writer = opened(tmp_path, video)
    add_frames(writer, 4)
    writer.save_episode("lift")
    before = tree(tmp_path)
    add_frames(writer, 40, episode=9)
    writer.drop_episode()
    assert tree(tmp_path) == before
    add_frames(writer, 5)
    assert writer.save_episode("lift") == 1
    writer.close()
    holds(tmp_path, 4, 5)


def test_closing_drops_what_was_not_saved(tmp_path: Path) -> None:
    record(tmp_path, 3)
    before = tree(tmp_path)
    writer = opened(tmp_path)
    add_frames(writer, 40)
    writer.close()
    assert tree(tmp_path) == before


def test_the_origins_of_episodes_are_known_ever_after(tmp_path: Path) -> None:
    for number in range(2):
        writer = opened(tmp_path)
        add_frames(writer, 3)
        writer.save_episode("lift", origin=f"log:{number}")
        writer.close()
    record(tmp_path, 3)
    assert opened(tmp_path).origins == {"log:0", "log:1"}


def test_other_features_are_refused_with_a_table_of_the_differences(tmp_path: Path) -> None:
    record(tmp_path, 3)
    before = tree(tmp_path)
    columns = {**COLUMNS, "observation.state": Column("float32", (4,), tuple("wxyz"))}
    columns.pop("next.done")
    with pytest.raises(DatasetRefused) as refusal:
        opened(tmp_path, columns=columns, fps=30, robot_type="so100")
    assert [line.strip() for line in str(refusal.value).splitlines()[1:]] == [
        "fps: 30 here, 10 there",
        "robot_type: so100 here, so101 there",
        "observation.state: float32 [4] (w, x, y, z) here, float32 [3] (x, y, z) there",
        "next.done: nothing here, bool [1] there",
    ]
    with pytest.raises(DatasetRefused, match=r"front: video .* here, image .* there"):
        opened(tmp_path, video=True)
    assert tree(tmp_path) == before


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/thesis.txt").write_text("mine")
    with pytest.raises(DatasetRefused, match="not empty, and no dataset; name another folder"):
        opened(tmp_path)
    assert tree(tmp_path) == {"data/thesis.txt": b"mine"}


def test_a_dataset_has_one_writer(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    with pytest.raises(DatasetError, match="being written by another process"):
        opened(tmp_path)
    writer.close()
    opened(tmp_path).close()


def test_a_frame_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    with pytest.raises(DatasetError, match=r"observation\.images\.side"):
        writer.add_frame({key: value for key, value in frame(0, 0).items() if key != SIDE})
    with pytest.raises(DatasetError, match=r"action .* is \[3\], not \[4\]"):
        writer.add_frame({**frame(0, 0), "action": np.zeros(3, np.float32)})
    with pytest.raises(DatasetError, match="without a frame"):
        writer.save_episode("lift")


def test_a_damaged_dataset_is_not_gone_on_with(tmp_path: Path) -> None:
    record(tmp_path, 3, 3)
    (tmp_path / "data/chunk-000/file-001.parquet").unlink()
    with pytest.raises(DatasetError, match=r"file-001\.parquet is missing"):
        opened(tmp_path)


# a full disk


@both
def test_a_full_disk_is_said_to_be_full(tmp_path: Path, video: bool) -> None:
    record(tmp_path, 4, video=video)
    before = tree(tmp_path)
    writer = opened(tmp_path, video)
    name = (
        "videos/observation.images.side/chunk-000/file-001.mp4"
        if video
        else "data/chunk-000/file-001.parquet"
    )
    part = durable.part_of(tmp_path / name)
    part.symlink_to("/dev/full")
    with pytest.raises(
        DatasetError, match=r"disk is full.*\(1 episode\) is not touched\. Make space, then record it"
    ):
        record_one(writer)
    with pytest.raises(DatasetError, match="disk is full"):
        writer.save_episode("lift")  # not the half of it that came after
    writer.drop_episode()
    assert tree(tmp_path) == before
    record_one(writer)
    writer.close()
    holds(tmp_path, 4, 40)


@both
def test_a_disk_that_fills_up_at_any_moment_costs_the_running_episode_only(
    tmp_path: Path, video: bool
) -> None:
    """No file may grow beyond a size, as on a full disk, from the first picture to the last table."""
    writer = opened(tmp_path, video)
    add_frames(writer, 4)
    writer.save_episode("lift")
    before = tree(tmp_path)
    saved = set()
    for most in (0, 300, 1000, 2000, 4000, 8000, 16000):
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, unlimited[1]))
        try:
            with contextlib.suppress(DatasetError):
                record_one(writer)
                saved.add(most)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        if most in saved:
            break
        writer.drop_episode()
        assert tree(tmp_path) == before
    assert 8000 not in saved
    if not saved:
        record_one(writer)
    writer.close()
    holds(tmp_path, 4, 40)


def record_one(writer: DatasetWriter) -> None:
    add_frames(writer, 40)
    writer.save_episode("lift")


# a kill


class Killed(BaseException):
    """What no handler mends: the process is gone."""


@both
def test_a_kill_at_any_step_of_saving_loses_no_saved_episode(tmp_path: Path, video: bool) -> None:
    """Each turn dies one step of the disk later, until one gets through."""
    outcomes = []
    for step in range(200):
        root = record(tmp_path / str(step), 4, video=video)
        with pytest.MonkeyPatch.context() as patch:
            writer = opened(root, video)
            add_frames(writer, 3)
            dies_after(step, patch)
            try:
                writer.save_episode("push", origin="log:1")
            except Killed:
                pass
            else:
                break
        holds_at_least_one(root)
        release(writer)
        writer = opened(root, video)
        outcomes.append(writer.episodes)
        assert writer.origins == ({"log:1"} if writer.episodes == 2 else frozenset())
        add_frames(writer, 2)
        writer.save_episode("lift")
        writer.close()
        holds(root, *[4, 3, 2] if outcomes[-1] == 2 else [4, 2])
        assert not list(root.rglob("*" + durable.PART))
    assert len(outcomes) > 10 and outcomes == sorted(outcomes) and set(outcomes) == {1, 2}


def test_a_kill_at_any_step_of_the_first_episode_leaves_a_folder_to_go_on_in(tmp_path: Path) -> None:
    for step in range(200):
        root = tmp_path / str(step)
        with pytest.MonkeyPatch.context() as patch:
            writer = opened(root)
            add_frames(writer, 3)
            dies_after(step, patch)
            try:
                writer.save_episode("push")
            except Killed:
                release(writer)
            else:
                break
        record(root, 2)
        assert [episode.length for episode in Dataset(root).episodes] in ([2], [3, 2])


def dies_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """Raise Killed in the place of the next but `steps` call that writes, syncs or renames."""
    left = steps

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return work(*arguments, **named)

        return attempt

    patch.setattr(contents, "write_part", counted(durable.write_part))
    patch.setattr(durable, "sync_folder", counted(durable.sync_folder))
    patch.setattr(Path, "rename", counted(Path.rename))


def holds_at_least_one(root: Path) -> None:
    dataset = Dataset(root)
    assert len(dataset.episodes) in (1, 2)
    for episode in dataset.episodes:
        assert len(dataset.frames(episode.index)["index"]) == episode.length


def release(writer: DatasetWriter) -> None:
    """The lock of a process goes with it."""
    os.close(writer._lock)


# what stays small


def test_a_long_list_of_episodes_goes_on_in_the_next_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "EPISODES_PER_LIST", 2)
    record(tmp_path, 2, 2, 2)
    record(tmp_path, 2, 2)
    files = sorted((tmp_path / "meta/episodes").glob("*/*.parquet"))
    assert [pq.read_metadata(path).num_rows for path in files] == [2, 2, 1]
    assert [row["meta/episodes/file_index"] for path in files for row in pq.read_table(path).to_pylist()] == [
        0, 0, 1, 1, 2,
    ]  # fmt: skip
    holds(tmp_path, 2, 2, 2, 2, 2)


def test_files_are_counted_on_in_the_next_chunk(tmp_path: Path) -> None:
    record(tmp_path, 2)
    info = tmp_path / "meta/info.json"
    info.write_text(info.read_text().replace('"chunks_size": 1000', '"chunks_size": 2'))
    record(tmp_path, 2, 2, video=False)
    assert sorted(str(path.relative_to(tmp_path / "data")) for path in tmp_path.glob("data/*/*")) == [
        "chunk-000/file-000.parquet", "chunk-000/file-001.parquet", "chunk-001/file-000.parquet",
    ]  # fmt: skip
    holds(tmp_path, 2, 2, 2)
