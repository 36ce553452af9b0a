"""Datasets with all that a recorder of ours writes: outcomes, interventions, origins. Every frame tells which it is."""

import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import Column
from workers.dataset.writer import DatasetWriter

CAMERA = "observation.images.front"
COLUMNS = {
    "observation.state": Column("float32", (3,), ("x", "y", "z")),
    "action": Column("float32", (2,), ("dx", "gripper")),
    CAMERA: Column("image", (32, 48, 3), ("height", "width", "channels")),
    "next.reward": Column("float32", (1,)),
    "next.done": Column("bool", (1,)),
    "next.truncated": Column("bool", (1,)),
    "next.success": Column("bool", (1,)),
    "complementary_info.is_intervention": Column("bool", (1,)),
}
FPS = 10


def frame_of(episode: int, frame: int, length: int) -> dict[str, NDArray]:
    """Frame `frame` of what was recorded as number `episode`; all episodes but every third succeed."""
    last, success = frame == length - 1, episode % 3 != 2
    picture = np.full((32, 48, 3), (20 * episode + 5) % 250, np.uint8)
    picture[:, : frame + 1, 1] = 200
    return {
        "observation.state": np.array([episode, frame, episode * 100 + frame], np.float32),
        "action": np.array([frame / 10, frame % 3], np.float32),
        CAMERA: picture,
        "next.reward": np.float32(last and success),
        "next.done": np.bool_(last),
        "next.truncated": np.bool_(last and not success),
        "next.success": np.bool_(last and success),
        "complementary_info.is_intervention": np.bool_(frame % 2),
    }


def make(
    root: Path,
    lengths: Sequence[int],
    *,
    video: bool = False,
    named: str = "",
    task: str = "lift",
    first: int = 0,
) -> Path:
    """A dataset of episodes `first` and on, of these lengths; `named` is before the number in their origins."""
    if root.exists():
        return _record(root, lengths, video, named, task, first)
    shutil.copytree(_recorded(tuple(lengths), video, named, task, first).name, root)
    return root


@cache
def _recorded(
    lengths: tuple[int, ...], video: bool, named: str, task: str, first: int
) -> "tempfile.TemporaryDirectory[str]":
    """Many tests begin with the same dataset: it is encoded once."""
    made = tempfile.TemporaryDirectory(prefix="hilserl-demonstrated-")
    _record(Path(made.name), lengths, video, named, task, first)
    return made


def _record(root: Path, lengths: Sequence[int], video: bool, named: str, task: str, first: int) -> Path:
    writer = DatasetWriter.open(root, COLUMNS, FPS, "so101", video=video)
    try:
        for episode, length in enumerate(lengths, first):
            for frame in range(length):
                writer.add_frame(frame_of(episode, frame, length))
            writer.save_episode(task, f"{named}:{episode}" if named else "")
    finally:
        writer.close()
    return root
