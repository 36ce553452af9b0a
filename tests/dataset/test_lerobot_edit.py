"""Stock LeRobot loads an edited dataset, frame by frame the same as ours, and records into it.

Needs `lerobot` and torchcodec, in an environment of their own (see test_lerobot.py). Skipped where they are missing.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.dataset.demonstrated import CAMERA, make
from tests.dataset.lerobots import both, lerobot, nothing_is_fetched, video_utils
from workers.dataset.check import check
from workers.dataset.edit import compact, delete, merge, relabel, trim
from workers.dataset.reader import Dataset

__all__ = ["nothing_is_fetched"]  # a fixture for every test here


def loaded_the_same(root: Path) -> Any:
    """What LeRobot loads, which is what we read: every frame of every column."""
    video_utils._default_decoder_cache.clear()  # by the names of files, whatever became of them
    theirs, ours = lerobot.LeRobotDataset("someone/lift", root=root), Dataset(root)
    assert len(theirs) == ours.info.total_frames and theirs.num_episodes == len(ours.episodes)
    for episode in ours.episodes:
        frames = ours.frames(episode.index)
        for step in range(episode.length):
            item = theirs[episode.first + step]
            assert item["task"] == episode.tasks[0]
            for key, rows in frames.items():
                row = rows[step].transpose(2, 0, 1) / np.float32(255) if key == CAMERA else rows[step]
                assert np.array_equal(item[key].numpy().reshape(np.shape(row)), row), (
                    key,
                    episode.index,
                    step,
                )
    return theirs


@both
def test_an_edited_dataset_is_the_same_in_lerobots_loader(tmp_path: Path, video: bool) -> None:
    root = make(tmp_path / "set", [5, 7, 4, 6], video=video, named="a")
    other = make(tmp_path / "other", [3, 8], video=video, named="b", first=4, task="push")
    delete(root, [1])
    trim(root, 0, 1, 4)
    relabel(root, [1], success=True)
    merge(root, [other])
    trim(root, 4, 3, 6)
    theirs = loaded_the_same(root)
    assert [int(state[2]) for state in theirs.hf_dataset["observation.state"]] == [
        *range(1, 4), *range(200, 204), *range(300, 306), *range(400, 403), *range(503, 506),
    ]  # fmt: skip
    assert theirs.meta.stats["index"]["max"].tolist() == [18]


@both
def test_joined_files_are_the_same_in_lerobots_loader(tmp_path: Path, video: bool) -> None:
    root = make(tmp_path / "set", [5, 7, 1, 6], video=video, named="a")
    trim(root, 1, 2, 6)
    compact(root)
    loaded_the_same(root)
    make(root, [3], video=video, named="a", first=4)
    loaded_the_same(root)
    compact(root)
    loaded_the_same(root)


@both
def test_lerobots_files_are_joined_with_ours(tmp_path: Path, video: bool) -> None:
    root = tmp_path / "set"
    record(theirs_of(root, video), [5, 6])
    record(lerobot.LeRobotDataset("someone/lift", root=root), [3])
    before = [Dataset(root).frames(episode) for episode in range(3)]
    compact(root)
    loaded_the_same(root)
    for episode, frames in enumerate(before):
        for key, rows in Dataset(root).frames(episode).items():
            assert np.array_equal(rows, frames[key]), (episode, key)


@both
def test_lerobots_own_dataset_can_be_edited(tmp_path: Path, video: bool) -> None:
    """Written by LeRobot: several episodes in a file, and in a video."""
    root = tmp_path / "set"
    recorded = theirs_of(root, video)
    record(recorded, [5, 6, 4])
    trim(root, 1, 2, 5)
    delete(root, [0])
    relabel(root, [1], reward=0.5, frames=(0, 2))
    theirs = loaded_the_same(root)
    assert [int(state[0]) for state in theirs.hf_dataset["observation.state"]] == [
        102,
        103,
        104,
        *range(200, 204),
    ]
    assert [float(reward) for reward in theirs.hf_dataset["next.reward"]] == [0, 0, 0, 0.5, 0.5, 0, 1]
    assert [finding for finding in check(root) if finding.mendable] == []


@both
def test_lerobot_records_into_an_edited_dataset(tmp_path: Path, video: bool) -> None:
    root = tmp_path / "set"
    record(theirs_of(root, video), [5, 6, 4])
    delete(root, [2])
    trim(root, 1, 0, 4)
    record(lerobot.LeRobotDataset("someone/lift", root=root), [3])
    theirs = loaded_the_same(root)
    assert [int(state[0]) for state in theirs.hf_dataset["observation.state"]] == [
        *range(5), *range(100, 104), *range(200, 203),
    ]  # fmt: skip


def theirs_of(root: Path, video: bool) -> Any:
    features = {
        "observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
        "action": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        CAMERA: {
            "dtype": "video" if video else "image",
            "shape": (64, 96, 3),
            "names": ["height", "width", "channels"],
        },
    }
    return lerobot.LeRobotDataset.create("someone/lift", 10, features, root=root, use_videos=video)


def record(dataset: Any, lengths: list[int]) -> None:
    first = dataset.meta.total_episodes
    for episode, length in enumerate(lengths, first):
        for frame in range(length):
            dataset.add_frame(
                {
                    "observation.state": np.array([100 * episode + frame, 0], np.float32),
                    "action": np.array([frame / 10, 0], np.float32),
                    "next.reward": np.array([frame == length - 1], np.float32),
                    CAMERA: np.full((64, 96, 3), 20 * episode + 10 * frame, np.uint8),
                    "task": "lift",
                }
            )
        dataset.save_episode()
    dataset.finalize()
