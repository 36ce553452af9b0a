"""Datasets of a drawn scene: a red block lies on a table, and is success while an arm holds it up."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.altered import altered
from workers.config import Config
from workers.dataset.layout import Column
from workers.dataset.writer import DatasetWriter

SIZE = 32
CAMERAS = ("front", "side")
Picture = NDArray[np.uint8]
_UP = 0.5
"""Height, of the picture, from which on the block is up."""


def as_it_is(picture: Picture) -> Picture:
    return picture


def dimmed(picture: Picture) -> Picture:
    """Less than two thirds of the light, and a warmer one."""
    return np.clip(picture * np.array([0.7, 0.62, 0.55]), 0, 255).astype(np.uint8)


def with_mug(picture: Picture) -> Picture:
    """A blue thing stands at the edge."""
    changed = picture.copy()
    side = len(picture)
    changed[side // 2 : side * 3 // 4, : side // 6] = (40, 60, 200)
    return changed


@dataclass
class Scene:
    """How a dataset is drawn.

    Args:
        outcomes: of each episode, whether the block is lifted.
        flipped: (episode, frame) whose label is wrong.
        seen: what a camera makes of the scene.
    """

    outcomes: Collection[bool] = (True, True, True, False, True, True, True, False)
    frames: int = 24
    size: int = SIZE
    flipped: Collection[tuple[int, int]] = ()
    seen: Callable[[Picture], Picture] = as_it_is
    cameras: tuple[str, ...] = CAMERAS
    seed: int = 0
    rewards: Callable[[float], float] = lambda height: float(height > _UP)

    def record(self, root: Path) -> Path:
        """Write the dataset."""
        shape = (self.size, self.size, 3)
        columns = {
            "observation.state": Column("float32", (1,), ("height",)),
            "action": Column("float32", (4,), ("dx", "dy", "dz", "gripper")),
            "next.reward": Column("float32", (1,)),
            "next.done": Column("bool", (1,)),
            **{
                f"observation.images.{name}": Column("image", shape, ("height", "width", "channels"))
                for name in self.cameras
            },
        }
        rng = np.random.default_rng(self.seed)
        writer = DatasetWriter.open(root, columns, 10, "so101", video=False)
        for episode, lifted in enumerate(self.outcomes):
            for frame, height in enumerate(self._heights(lifted, rng)):
                reward = self.rewards(height)
                if (episode, frame) in self.flipped:
                    reward = 1.0 - reward
                given = {
                    "observation.state": np.array([height], np.float32),
                    "action": np.zeros(4, np.float32),
                    "next.reward": np.float32(reward),
                    "next.done": np.bool_(frame == self.frames - 1),
                    **{
                        f"observation.images.{name}": self.seen(self._drawn(height, rng, name))
                        for name in self.cameras
                    },
                }
                writer.add_frame(given)
            writer.save_episode("lift")
        writer.close()
        return root

    def _heights(self, lifted: bool, rng: np.random.Generator) -> NDArray[np.float64]:
        """[frames] how high the block is: from the table to where it stays."""
        begins = rng.integers(self.frames // 4, self.frames // 2)
        goes_to = rng.uniform(0.7, 0.9) if lifted else rng.uniform(0.0, 0.2)
        return np.clip((np.arange(self.frames) - begins) * 0.2, 0.0, goes_to)

    def _drawn(self, height: float, rng: np.random.Generator, camera: str) -> Picture:
        side = self.size
        drawn = np.full((side, side, 3), (150, 140, 120) if camera == "front" else (110, 120, 135), float)
        drawn[side * 3 // 4 :] = (90, 70, 50)
        block = side // 6
        left = int(side * (0.35 + 0.2 * np.sin(7 * height)) + rng.integers(-1, 2))
        bottom = int(side * (0.95 - 0.7 * height))
        drawn[: bottom - block, left + block // 3 : left + block // 3 + 2] = (40, 40, 45)
        drawn[bottom - block : bottom, left : left + block] = (210, 40, 30)
        return np.clip(drawn + rng.normal(0, 4, drawn.shape), 0, 255).astype(np.uint8)


SMALL = {
    "reward_classifier.hidden_dim": 32,
    "reward_classifier.latent_dim": 32,
    "reward_classifier.learning_rate": 2e-3,
    "reward_classifier.batch_size": 32,
    "reward_classifier.max_epochs": 12,
    "reward_classifier.random_shift_px": 1,
    "reward_classifier.torch_threads": 1,
}


def config(folder: Path, **changes: Any) -> Config:
    """The ready configuration for pictures of the scene, its run in `folder`; `changes` are of [reward_classifier]."""
    keys = {
        "run.name": "it",
        "run.directory": str(folder),
        "env.processor.image_preprocessing.resize_size": [SIZE, SIZE],
        **SMALL,
        **{f"reward_classifier.{key}": value for key, value in changes.items()},
    }
    return altered(keys)
