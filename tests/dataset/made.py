"""Small datasets made with the writer; what is in a frame tells which one it is."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.dataset.layout import Column
from workers.dataset.writer import DatasetWriter

FPS, HEIGHT, WIDTH = 10, 48, 64
FRONT, SIDE = "observation.images.front", "observation.images.side"
_PICTURE = Column("image", (HEIGHT, WIDTH, 3), ("height", "width", "channels"))
COLUMNS = {
    "observation.state": Column("float32", (3,), ("x", "y", "z")),
    "action": Column("float32", (4,), ("dx", "dy", "dz", "gripper")),
    "next.reward": Column("float32", (1,)),
    "next.done": Column("bool", (1,)),
    FRONT: _PICTURE,
    SIDE: _PICTURE,
}


def frame(episode: int, number: int, last: bool = False) -> dict[str, NDArray[Any]]:
    """Frame `number` of episode `episode`; a video keeps the shade of its pictures within a few levels."""
    shade = (40 * episode + 5 * number) % 200
    picture = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    picture[:16, :16] = (250, 20, 20)  # red, to tell the channels apart
    return {
        "observation.state": np.array([episode, number, 0.5], np.float32),
        "action": np.array([0.1 * (number % 9), -0.1, 0, number % 3], np.float32),
        "next.reward": np.float32(last),
        "next.done": np.array([last]),
        FRONT: picture,
        SIDE: 255 - picture,
    }


def opened(root: Path, video: bool = False, **changes: Any) -> DatasetWriter:
    given: dict[str, Any] = {"columns": COLUMNS, "fps": FPS, "robot_type": "so101", **changes}
    return DatasetWriter.open(root, video=video, **given)


def add_frames(writer: DatasetWriter, length: int, episode: int | None = None) -> None:
    number = writer.episodes if episode is None else episode
    for step in range(length):
        writer.add_frame(frame(number, step, step == length - 1))


def record(root: Path, *lengths: int, video: bool = False, task: str = "lift") -> Path:
    """Go on with the dataset in `root`, by episodes of these lengths."""
    writer = opened(root, video)
    for length in lengths:
        add_frames(writer, length)
        writer.save_episode(task)
    writer.close()
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a folder, with what is in it."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }
