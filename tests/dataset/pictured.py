"""Datasets with pictures of known content, written by our own writer."""

from pathlib import Path

import numpy as np

from workers.dataset.layout import Column
from workers.dataset.writer import DatasetWriter

CAMERAS = ("observation.images.front", "observation.images.side")
NAMES = ("height", "width", "channels")
LENGTHS = (7, 4, 9)
TASKS = ("lift the cube", "push the cube", "lift the cube")


def picture(number: int, camera: int, height: int, width: int) -> np.ndarray:
    """Smooth, so that a video keeps it nearly; a square goes across it with `number`."""
    rows, columns = np.mgrid[:height, :width]
    made = np.stack(
        [rows * 200 // height, columns * 200 // width, np.full_like(rows, 60 + 80 * camera)], -1
    ).astype(np.uint8)
    at = 8 + 4 * number % (width - 40)
    made[height // 3 : height // 3 + 24, at : at + 24] = (240, 40, 30)
    return made


def pictured(
    root: Path, video: bool = False, height: int = 96, width: int = 128, lengths: tuple[int, ...] = LENGTHS
) -> Path:
    """Episodes with a state, an action, a reward that is 1 at the end, and two cameras."""
    columns = {
        "observation.state": Column("float32", (6,), tuple("abcdef")),
        "action": Column("float32", (4,), ("x", "y", "z", "gripper")),
        "next.reward": Column("float32", (1,)),
        "next.done": Column("bool", (1,)),
        **{key: Column("video" if video else "image", (height, width, 3), NAMES) for key in CAMERAS},
    }
    rng = np.random.default_rng(0)
    writer = DatasetWriter.open(root, columns, 10, "so101", video=video)
    for episode, length in enumerate(lengths):
        for frame in range(length):
            last = frame == length - 1
            writer.add_frame(
                {
                    "observation.state": rng.normal(size=6).astype(np.float32),
                    "action": rng.uniform(-1, 1, 4).astype(np.float32),
                    "next.reward": np.float32(last),
                    "next.done": np.bool_(last),
                    **{
                        key: picture(10 * episode + frame, camera, height, width)
                        for camera, key in enumerate(CAMERAS)
                    },
                }
            )
        writer.save_episode(TASKS[episode % len(TASKS)])
    writer.close()
    return root
