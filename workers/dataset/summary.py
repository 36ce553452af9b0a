"""What a dataset holds, in a few lines."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from workers.dataset.columns import SUCCESS
from workers.dataset.layout import AUTOMATIC, Column, episodes_in_words
from workers.dataset.notes import crops_of, fetched_from
from workers.dataset.reader import Dataset
from workers.dataset.versions import Versions
from workers.processors.features import INTERVENTION, REWARD


class Camera(msgspec.Struct, frozen=True, omit_defaults=True):
    """One camera's pictures."""

    width: int
    height: int
    storage: str  # "png" or the codec of the video
    crop: tuple[int, int, int, int] | None = None  # top, left, height, width


class Summary(msgspec.Struct, frozen=True):
    """Figures of a dataset; None of what it has no column for."""

    root: str
    version: str
    robot_type: str | None
    fps: float
    episodes: int
    frames: int
    successes: int | None
    intervention_frames: int | None
    intervention_episodes: int | None
    tasks: dict[str, int]  # episodes of each
    size_bytes: int
    cameras: dict[str, Camera]
    features: dict[str, str]  # but the cameras, and those that LeRobot adds to every dataset
    earlier_versions: int
    fetched: tuple[str, str] | None  # repository and commit that it is


def summary(root: Path) -> Summary:
    """Read the columns that are counted, of all episodes. Raises DatasetError."""
    dataset = Dataset(root)
    info = dataset.info
    success = next((key for key in (SUCCESS, REWARD) if key in info.features), None)
    succeeded, by_hand = (_by_episode(dataset, key) for key in (success, INTERVENTION))
    crops = _crops(root)
    return Summary(
        root=str(root),
        version=info.codebase_version,
        robot_type=info.robot_type,
        fps=info.fps,
        episodes=info.total_episodes,
        frames=info.total_frames,
        successes=None if succeeded is None else sum(count > 0 for count in succeeded),
        intervention_frames=None if by_hand is None else sum(by_hand),
        intervention_episodes=None if by_hand is None else sum(count > 0 for count in by_hand),
        tasks=dict(Counter(task for episode in dataset.episodes for task in episode.tasks)),
        size_bytes=sum(path.stat().st_size for path in root.rglob("*") if path.is_file()),
        cameras={key: _camera(info.features[key], crops.get(key)) for key in info.cameras},
        features={
            key: str(column)
            for key, column in info.features.items()
            if not column.is_picture and key not in AUTOMATIC
        },
        earlier_versions=len(Versions(root).numbers()),
        fetched=fetched_from(root),
    )


def _by_episode(dataset: Dataset, key: str | None) -> list[int] | None:
    """In how many frames of each episode a column of one number is more than 0."""
    if key is None or key not in dataset.info.features:
        return None
    counts: Counter[int] = Counter()
    for path in dict.fromkeys(episode.data for episode in dataset.episodes):
        with dataset.reading(f"{key} in {path.name}"):
            table = pq.read_table(path, columns=["episode_index", key], partitioning=None)
            numbers, values = (table[name].to_numpy() for name in ("episode_index", key))
            counts.update(numbers[np.asarray(values) > 0].tolist())
    return [counts[episode.index] for episode in dataset.episodes]


def _camera(column: Column, crop: Any) -> Camera:
    height, width, _ = column.picture_shape
    described = column.info if isinstance(column.info, dict) else {}
    storage = str(described.get("video.codec", "video")) if column.dtype == "video" else "png"
    return Camera(width, height, storage, crop)


def _crops(root: Path) -> dict[str, tuple[int, int, int, int]]:
    return crops_of(root) or {}


def in_lines(found: Summary) -> Iterator[str]:
    """For people."""
    length_s = found.frames / found.fps
    length = f"{length_s:.0f} s" if length_s < 120 else f"{length_s / 60:.1f} min"
    yield found.root
    yield _line("version", ", ".join(filter(None, (found.version, found.robot_type))))
    yield _line("episodes", f"{found.episodes}, {found.frames} frames at {found.fps:g} Hz ({length})")
    if found.successes is not None:
        yield _line("successes", f"{found.successes} of {found.episodes}")
    if found.intervention_frames is not None:
        episodes = episodes_in_words(found.intervention_episodes or 0)
        where = f"{found.intervention_frames} frames in {episodes}"
        yield _line("interventions", where if found.intervention_frames else "none")
    yield from _lines("tasks", [f"{task} ({count})" for task, count in found.tasks.items()])
    yield _line("size", f"{found.size_bytes / 1e6:.1f} MB")
    yield from _lines("cameras", [_camera_line(key, camera) for key, camera in found.cameras.items()])
    yield from _lines("features", [f"{key}: {described}" for key, described in found.features.items()])
    if found.fetched:
        yield _line("fetched", f"{found.fetched[0]} at {found.fetched[1][:12]}")
    if found.earlier_versions:
        folder = Versions(Path(found.root)).folder
        yield _line("undo", f"{found.earlier_versions} earlier versions in {folder}")


def _camera_line(key: str, camera: Camera) -> str:
    crop = "" if camera.crop is None else f", cropped (top, left, height, width) {camera.crop}"
    return f"{key}: {camera.width}x{camera.height} {camera.storage}{crop}"


def _lines(name: str, values: list[str]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield _line(name if not number else "", value)


def _line(name: str, value: str) -> str:
    return f"  {name:<14}{value}"
