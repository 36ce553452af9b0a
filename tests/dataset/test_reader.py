"""Datasets of every kind are read; what cannot be read is one sentence that says why and what to do."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.made import COLUMNS, FRONT, SIDE, record
from workers.dataset.errors import DatasetError
from workers.dataset.layout import AUTOMATIC
from workers.dataset.reader import Dataset

both = pytest.mark.parametrize("video", [False, True], ids=["png", "video"])


def as_v21(root: Path) -> Path:
    """The dataset in the layout of v2.1: a table and a video for each episode, the lists as lines of JSON."""
    dataset, old = Dataset(root), root.with_name("old")
    info = msgspec.json.decode((root / "meta/info.json").read_bytes())
    episodes = []
    for episode in dataset.episodes:
        data = old / f"data/chunk-{episode.index // 2:03d}/episode_{episode.index:06d}.parquet"
        data.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(episode.data, data)
        for key, span in episode.videos.items():
            video = old / f"videos/chunk-{episode.index // 2:03d}/{key}/episode_{episode.index:06d}.mp4"
            video.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(span.path, video)
        episodes.append(
            {"episode_index": episode.index, "tasks": list(episode.tasks), "length": episode.length}
        )
    tasks = [{"task_index": number, "task": task} for number, task in enumerate(dataset.tasks)]
    info |= {
        "codebase_version": "v2.1",
        "chunks_size": 2,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    }
    (old / "meta").mkdir()
    (old / "meta/info.json").write_bytes(msgspec.json.encode(info))
    (old / "meta/episodes.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(episodes))
    (old / "meta/tasks.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(tasks))
    return old


@both
def test_a_dataset_of_v21_reads_like_one_of_v30(tmp_path: Path, video: bool) -> None:
    root = record(tmp_path / "set", 4, 3, video=video)
    record(root, 5, video=video, task="push")
    old, new = Dataset(as_v21(root)), Dataset(root)
    assert [(episode.first, episode.length, episode.tasks) for episode in old.episodes] == [
        (0, 4, ("lift",)), (4, 3, ("lift",)), (7, 5, ("push",)),
    ]  # fmt: skip
    for number in range(3):
        there, here = old.frames(number), new.frames(number)
        assert all(np.array_equal(there[key], here[key]) for key in (*COLUMNS, *AUTOMATIC))


def test_columns_are_read_by_choice_and_in_their_shapes(tmp_path: Path) -> None:
    dataset = Dataset(record(tmp_path, 4, 3))
    frames = dataset.frames(1)
    assert {key: (rows.shape, str(rows.dtype)) for key, rows in frames.items() if key not in AUTOMATIC} == {
        "observation.state": ((3, 3), "float32"),
        "action": ((3, 4), "float32"),
        "next.reward": ((3,), "float32"),
        "next.done": ((3,), "bool"),
        FRONT: ((3, 48, 64, 3), "uint8"),
        SIDE: ((3, 48, 64, 3), "uint8"),
    }
    assert dataset.frames(1, ["action"]).keys() == {"action"}
    with pytest.raises(KeyError):
        dataset.frames(1, ["observation.smell"])


@both
def test_pictures_come_one_by_one_from_any_frame_on(tmp_path: Path, video: bool) -> None:
    dataset = Dataset(record(tmp_path, 3, 40, video=video))
    whole = dataset.frames(1, [FRONT])[FRONT]
    for start, stop in ((0, None), (7, 8), (13, 33), (39, 90), (5, 5)):
        part = list(dataset.pictures(1, FRONT, start, stop))
        assert np.array_equal(np.array(part), whole[start:stop]) or (not part and start == stop)


@both
def test_a_dataset_of_which_something_is_missing_is_refused_by_name(tmp_path: Path, video: bool) -> None:
    root = record(tmp_path / "set", 3, 3, video=video)
    names = [
        "data/chunk-000/file-001.parquet",
        "meta/tasks.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
    ]
    for name in [*names, *[f"videos/{SIDE}/chunk-000/file-000.mp4"] * video]:
        (root / name).rename(tmp_path / "away")
        with pytest.raises(
            DatasetError, match=r"cannot be read: .*copied or downloaded to its end\? Fetch it again"
        ):
            Dataset(root)
        (tmp_path / "away").rename(root / name)
    Dataset(root)


@both
def test_a_file_that_ends_too_early_is_told_when_it_is_read(tmp_path: Path, video: bool) -> None:
    root = record(tmp_path / "set", 3, 3, video=video)
    for name in ["data/chunk-000/file-001.parquet", *[f"videos/{FRONT}/chunk-000/file-001.mp4"] * video]:
        whole = (root / name).read_bytes()
        (root / name).write_bytes(whole[: len(whole) // 2])
        dataset = Dataset(root)
        dataset.frames(0)
        with pytest.raises(DatasetError, match=r"episode 1 of .* cannot be read: .*Fetch it again"):
            dataset.frames(1)
        (root / name).write_bytes(whole)


def test_a_video_of_another_frame_rate_is_told(tmp_path: Path) -> None:
    root = record(tmp_path, 5, video=True)
    path = root / "meta/info.json"
    path.write_text(path.read_text().replace('"fps": 10,', '"fps": 30,', 1))
    with pytest.raises(DatasetError, match="10 frames a second, the dataset 30"):
        Dataset(root).frames(0)


def test_a_video_that_is_shorter_than_its_episode_is_told(tmp_path: Path) -> None:
    root = record(tmp_path, 3, 9, video=True)
    short, long = (root / f"videos/{FRONT}/chunk-000/file-00{number}.mp4" for number in (0, 1))
    long.write_bytes(short.read_bytes())
    with pytest.raises(DatasetError, match="ends after 3 frames, 9 were recorded"):
        Dataset(root).frames(1)


def test_what_is_no_dataset_is_told(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DatasetError, match=r"there is no dataset in .*Is the folder right"):
            Dataset(root)
    record(tmp_path / "set", 3)
    with pytest.raises(DatasetError, match=r"no episode 7 in .*: it has 1, counted from 0"):
        Dataset(tmp_path / "set").frames(7)
    path = tmp_path / "set/meta/info.json"
    for content in (b"", b"[]", b"{}", b"\xff\xfe", path.read_bytes()[:90]):
        path.write_bytes(content)
        with pytest.raises(DatasetError, match="is not the description of a dataset"):
            Dataset(tmp_path / "set")


def test_an_empty_dataset_has_no_episodes(tmp_path: Path) -> None:
    """As LeRobot leaves it between making a dataset and saving the first episode."""
    root = record(tmp_path / "set", 3)
    info = msgspec.json.decode((root / "meta/info.json").read_bytes())
    shutil.rmtree(root)
    (root / "meta").mkdir(parents=True)
    info |= {"total_episodes": 0, "total_frames": 0, "total_tasks": 0, "splits": {}}
    (root / "meta/info.json").write_bytes(msgspec.json.encode(info))
    assert list(Dataset(root).episodes) == []
    record(root, 4)
    assert [episode.length for episode in Dataset(root).episodes] == [4]


def test_columns_of_other_writers_are_read(tmp_path: Path) -> None:
    """Lists of any length where one would be known, and numbers of another width."""
    root = record(tmp_path, 3)
    path = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path, partitioning=None)
    place = table.schema.get_field_index("action")
    before = Dataset(root).frames(0, ["action"])["action"]
    pq.write_table(table.set_column(place, "action", table["action"].cast(pa.list_(pa.float64()))), path)
    assert np.array_equal(Dataset(root).frames(0, ["action"])["action"], before)
