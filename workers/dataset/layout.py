"""Where the files of a LeRobotDataset v3.0 lie, and what its `meta/info.json` says."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from numpy.typing import NDArray

from workers.config import DatasetConfig
from workers.dataset.errors import DatasetError

VERSION = "v3.0"
OLD_VERSIONS = ("v2.0", "v2.1")  # read, never written
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
FILES_PER_CHUNK = 1000
DATA_FILE_MB = 100
VIDEO_FILE_MB = 200
PICTURES = ("image", "video")


Frames = dict[str, NDArray[Any]]
"""Rows of a dataset by column: [n] of columns of one element, [n, ...] of the others; pictures uint8 [n, H, W, 3]."""


class Column(msgspec.Struct, frozen=True):
    """One feature, as `meta/info.json` has it."""

    dtype: str  # a numpy name, "string", "image" or "video"
    shape: tuple[int, ...]
    names: tuple[str, ...] | dict[str, Any] | None = None
    info: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET  # how a video is encoded

    @property
    def is_picture(self) -> bool:
        return self.dtype in PICTURES

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """[H, W, 3] of its pictures; a dataset may describe them as [3, H, W], as LeRobot's HIL-SERL does."""
        first, second, third = self.shape
        return (second, third, 3) if first < min(second, third) else (first, second, 3)

    def __str__(self) -> str:
        sides = ", ".join(map(str, self.shape))
        named = f" ({', '.join(self.names)})" if self.names else ""
        return f"{self.dtype} [{sides}]{named}"


AUTOMATIC = {
    "timestamp": Column("float32", (1,)),
    "frame_index": Column("int64", (1,)),
    "episode_index": Column("int64", (1,)),
    "index": Column("int64", (1,)),
    "task_index": Column("int64", (1,)),
}
"""LeRobot's own columns, in every dataset."""


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """`meta/info.json`; keys of other writers are passed over."""

    codebase_version: str
    robot_type: str | None = None
    total_episodes: int = 0
    total_frames: int = 0
    total_tasks: int = 0
    chunks_size: int = FILES_PER_CHUNK
    data_files_size_in_mb: int = DATA_FILE_MB
    video_files_size_in_mb: int = VIDEO_FILE_MB
    fps: int | float
    splits: dict[str, str] = {}
    data_path: str = DATA
    video_path: str | None = None
    features: dict[str, Column]

    @property
    def cameras(self) -> tuple[str, ...]:
        """The keys of the columns of pictures, whatever their storage."""
        return tuple(key for key, column in self.features.items() if column.is_picture)


class Place(NamedTuple):
    """Which file: chunks of `FILES_PER_CHUNK` files, both counted from 0."""

    chunk: int
    file: int

    def next(self, per_chunk: int = FILES_PER_CHUNK) -> "Place":
        return Place(self.chunk + 1, 0) if self.file + 1 >= per_chunk else Place(self.chunk, self.file + 1)


def episodes_in_words(count: int) -> str:
    return f"{count} episode" + "s" * (count != 1)


def differences(
    columns: dict[str, Column], fps: float, info: Info, robot_type: str | None = None
) -> list[str]:
    """One readable line per column in which an existing dataset differs from what would be written."""
    lines = [] if info.fps == fps else [f"fps: {fps:g} here, {info.fps:g} there"]
    if robot_type and info.robot_type and robot_type != info.robot_type:
        lines.append(f"robot_type: {robot_type} here, {info.robot_type} there")
    for key in dict.fromkeys((*columns, *info.features)):
        here, there = (_without_encoding(features.get(key)) for features in (columns, info.features))
        if here != there:
            lines.append(f"{key}: {here or 'nothing'} here, {there or 'nothing'} there")
    return lines


def _without_encoding(column: Column | None) -> Column | None:
    return None if column is None else msgspec.structs.replace(column, info=msgspec.UNSET)


def dataset_folder(dataset: DatasetConfig) -> Path:
    """`dataset.root`; without it, where LeRobot keeps the dataset of that `repo_id`."""
    if dataset.root is not None:
        return Path(dataset.root).expanduser()
    assert dataset.repo_id is not None, "the configuration has one of the two"
    return cache_folder(dataset.repo_id)


def cache_folder(repo_id: str) -> Path:
    """Where LeRobot keeps this dataset of the user.

    That is below `$HF_LEROBOT_HOME`, `$HF_HOME/lerobot` or `~/.cache/huggingface/lerobot`.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{cache}/huggingface")
    return Path(os.environ.get("HF_LEROBOT_HOME", f"{home}/lerobot")).expanduser() / repo_id


def read_info(root: Path) -> Info | None:
    """`meta/info.json` of the dataset in `root`; None where there is none.

    Raises DatasetError when it cannot be read, or belongs to another version of the format.
    """
    path = root / INFO
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    try:
        version = msgspec.json.decode(text)["codebase_version"]
        if version != VERSION and version not in OLD_VERSIONS:
            raise DatasetError(
                f"{root} is a dataset of version {version}; this program reads {', '.join(OLD_VERSIONS)} and {VERSION}."
                " Convert it with the LeRobot that wrote it, or update this program."
            )
        return msgspec.json.decode(text, type=Info)
    except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path} is not the description of a dataset ({error}). Was it copied or downloaded to its end?"
            " Fetch it again, or let `hilserl-worker dataset repair` look at it."
        ) from error
