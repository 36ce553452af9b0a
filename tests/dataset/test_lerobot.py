"""What this room writes stock LeRobot reads, and the other way round: the same tensors, frame by frame.

Needs `lerobot` (0.4.4 was used) and torchcodec, which ask for older packages than this project: run it in an
environment of their own. Skipped where they are not installed.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.dataset.lerobots import both, lerobot, nothing_is_fetched
from tests.dataset.made import COLUMNS, FPS, FRONT, frame, opened, record
from tests.dataset.test_check import MENDED, made
from workers.dataset.layout import Column
from workers.dataset.reader import Dataset
from workers.dataset.repair import repair
from workers.dataset.stats import aggregated, of_values

__all__ = ["nothing_is_fetched"]  # a fixture for every test here


def theirs(root: Path) -> Any:
    return lerobot.LeRobotDataset("someone/lift", root=root)


def assert_same_tensors(root: Path, frames: int) -> None:
    """Every frame of every column is the same in LeRobot's loader and in ours, and of the same type."""
    loaded, ours = theirs(root), Dataset(root)
    assert len(loaded) == ours.info.total_frames == frames
    assert loaded.num_episodes == len(ours.episodes) == len(loaded.meta.episodes)
    for episode in ours.episodes:
        columns = ours.frames(episode.index)
        for step in range(episode.length):
            item = loaded[episode.first + step]
            assert item["task"] == episode.tasks[0]
            for key, rows in columns.items():
                row = torch.as_tensor(np.array(rows[step]))
                if ours.info.features[key].is_picture:
                    row = row.permute(2, 0, 1).float() / 255
                assert item[key].dtype == row.dtype, key
                assert torch.equal(item[key].reshape(row.shape), row), (key, episode.index, step)


@both
def test_a_dataset_of_ours_is_the_same_in_lerobots_loader(tmp_path: Path, video: bool) -> None:
    record(tmp_path / "set", 5, 33, video=video)
    record(tmp_path / "set", 2, 20, video=video, task="push")
    assert_same_tensors(tmp_path / "set", 60)


def test_pictures_of_a_camera_come_out_the_same(tmp_path: Path) -> None:
    """Of full size and with noise, where decoders could differ."""
    rng = np.random.default_rng(0)
    columns = {**COLUMNS, FRONT: Column("image", (480, 640, 3), ("height", "width", "channels"))}
    writer = opened(tmp_path / "set", video=True, columns=columns, fps=30)
    for step in range(9):
        picture = rng.normal(120, 40, (480, 640, 3)).clip(0, 255).astype(np.uint8)
        writer.add_frame({**frame(0, step), FRONT: picture})
    writer.save_episode("lift")
    writer.close()
    assert_same_tensors(tmp_path / "set", 9)


def test_lerobots_windows_over_time_see_the_ends_of_episodes(tmp_path: Path) -> None:
    root = record(tmp_path / "set", 4, 5, video=True)
    steps = {"action": [-0.1, 0.0, 0.1], FRONT: [-0.1, 0.0]}
    loaded = lerobot.LeRobotDataset("someone/lift", root=root, delta_timestamps=steps)
    assert loaded[4]["action_is_pad"].tolist() == [True, False, False]
    assert torch.equal(loaded[5][FRONT][0], loaded[4][FRONT][1])


def written_by_lerobot(root: Path, storage: str, codec: str, lengths: list[int]) -> Path:
    features = {
        "observation.state": {"dtype": "float32", "shape": (3,), "names": ["x", "y", "z"]},
        "action": {"dtype": "float32", "shape": (2,), "names": {"delta_x": 0, "gripper": 1}},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
        FRONT: {"dtype": storage, "shape": (3, 96, 128), "names": ["channels", "height", "width"]},
    }
    made = lerobot.LeRobotDataset.create(
        "someone/lift", FPS, features, root=root, use_videos=storage == "video", vcodec=codec
    )
    rng = np.random.default_rng(0)
    for number, length in enumerate(lengths):
        for step in range(length):
            made.add_frame(
                {
                    "observation.state": rng.normal(size=3).astype(np.float32),
                    "action": rng.normal(size=2).astype(np.float32),
                    "next.reward": np.array([step], np.float32),
                    "next.done": np.array([step == length - 1]),
                    FRONT: rng.integers(256, size=(96, 128, 3), dtype=np.uint8),
                    "task": f"task {number % 2}",
                }
            )
        made.save_episode()
    made.finalize()
    return root


@pytest.mark.parametrize(("storage", "codec"), [("image", "h264"), ("video", "h264"), ("video", "libsvtav1")])
def test_a_dataset_of_lerobots_is_the_same_here(tmp_path: Path, storage: str, codec: str) -> None:
    root = written_by_lerobot(tmp_path / "set", storage, codec, [7, 5, 9])
    assert_same_tensors(root, 21)
    dataset = Dataset(root)
    whole = dataset.frames(1, [FRONT])[FRONT]
    part = list(dataset.pictures(1, FRONT, 2, 4))
    assert np.array_equal(np.stack(part), whole[2:4])


@both
def test_lerobot_goes_on_with_a_dataset_of_ours(tmp_path: Path, video: bool) -> None:
    root = record(tmp_path / "set", 4, 3, video=video)
    resumed = theirs(root)
    for step in range(5):
        row = frame(2, step, step == 4)
        row["next.reward"] = np.array([row["next.reward"]])
        resumed.add_frame({**row, "task": "push"})
    resumed.save_episode()
    resumed.finalize()
    assert_same_tensors(root, 12)
    assert Dataset(root).tasks == ["lift", "push"]


@pytest.mark.parametrize("storage", ["image", "video"])
def test_ours_goes_on_with_a_dataset_of_lerobots(tmp_path: Path, storage: str) -> None:
    root = written_by_lerobot(tmp_path / "set", storage, "h264", [4, 3])
    features = dict(Dataset(root).info.features)
    assert features[FRONT].shape == (3, 96, 128), "as LeRobot's HIL-SERL describes pictures"
    writer = opened(root, storage == "video", columns=features, robot_type=None)
    for step in range(5):
        row = {key: value for key, value in frame(2, step).items() if key in features}
        row["action"] = row["action"][:2]
        writer.add_frame({**row, FRONT: np.full((96, 128, 3), 40 * step, np.uint8)})
    assert writer.save_episode("task 1") == 2
    writer.close()
    assert_same_tensors(root, 12)


def test_statistics_are_put_together_as_lerobot_does() -> None:
    from lerobot.datasets.compute_stats import aggregate_stats

    rng = np.random.default_rng(0)
    parts = [{"action": of_values(rng.normal(size=(length, 4)))} for length in (5, 50, 17)]
    for name, value in aggregate_stats(parts)["action"].items():
        assert np.allclose(aggregated(parts)["action"][name], value), name


@both
@pytest.mark.parametrize("fault", ["footer of the list", "rate", "gap", "index", "counts"])
def test_a_mended_dataset_is_one_for_lerobot(tmp_path: Path, fault: str, video: bool) -> None:
    root = made(tmp_path / "set", video)
    break_it, _, lengths = MENDED[fault]
    break_it(root)
    repair(root)
    assert_same_tensors(root, sum(lengths))
