"""Datasets of demonstrations for training, written as a recording would be, and by LeRobot's conventions."""

from pathlib import Path
from typing import Any

import numpy as np

from workers.config import Config
from workers.dataset.columns import columns_of
from workers.dataset.layout import AUTOMATIC, Column, Frames
from workers.dataset.notes import NOTES, Crops
from workers.dataset.units import state_units
from workers.dataset.writer import DatasetWriter
from workers.processors.build import pipelines_of
from workers.processors.features import ACTION, IMAGES, INTERVENTION, PENALTY, REWARD, STATE

SUCCESS, DONE, TRUNCATED = "next.success", "next.done", "next.truncated"


def columns_for(config: Config) -> dict[str, Column]:
    """The columns that a recording with `config` has."""
    return columns_of(pipelines_of(config).stored)


def episode(
    columns: dict[str, Column], length: int, seed: int, *, success: bool = True, units: Any = None
) -> Frames:
    """An episode of random numbers that ends with a success, or is cut by the time limit."""
    rng = np.random.default_rng(seed)
    last = np.arange(length) == length - 1
    size = columns[STATE].shape[0]
    state = rng.uniform(-1, 1, (length, size)).astype(np.float32)
    dim = columns[ACTION].shape[0]
    action = rng.uniform(-1, 1, (length, dim)).astype(np.float32)
    if dim == 4:
        action[:, 3] = rng.integers(0, 3, length)
    numbers = {
        STATE: state if units is None else units.to_dataset(state),
        ACTION: action,
        REWARD: (last & success).astype(np.float32),
        DONE: last,
        TRUNCATED: last & (not success),
        SUCCESS: last & success,
        PENALTY: np.where(action[:, -1] == 1, 0, -0.02).astype(np.float32),
        INTERVENTION: rng.integers(0, 2, length).astype(bool),
    }
    views = {
        key: rng.integers(0, 255, (length, *column.shape), np.uint8)
        for key, column in columns.items()
        if key.startswith(IMAGES)
    }
    return {key: values for key, values in {**numbers, **views}.items() if key in columns}


def write(
    root: Path,
    columns: dict[str, Column],
    episodes: list[Frames],
    fps: float = 10.0,
    ours: bool = True,
    video: bool = False,
    crops: Crops | None = None,
) -> Path:
    """A dataset of `episodes`; with `ours`, with the file by which this program knows its own."""
    own = {key: column for key, column in columns.items() if key not in AUTOMATIC}
    writer = DatasetWriter.open(root, own, fps, "so101_sim", video=video, crops=crops)
    for frames in episodes:
        for row in zip(*frames.values(), strict=True):
            writer.add_frame(dict(zip(frames, map(np.asarray, row), strict=True)))
        writer.save_episode("lift it")
    writer.close()
    if not ours:
        (root / NOTES).unlink()
    return root


def recorded_here(
    config: Config, root: Path, lengths: list[int], failed: tuple[int, ...] = ()
) -> list[Frames]:
    """A dataset in `root` as a recording with `config` leaves it; its episodes."""
    columns, units = columns_for(config), state_units(config)
    episodes = [
        episode(columns, length, seed, success=seed not in failed, units=units)
        for seed, length in enumerate(lengths)
    ]
    write(root, columns, episodes, config.env.fps)
    return episodes
