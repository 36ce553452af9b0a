"""Where the files of a LeRobotDataset v3.0 lie, and what its `meta/info.json` says."""

import os
from pathlib import Path
from typing import Any

import msgspec

from workers.config import DatasetConfig
from workers.dataset.errors import DatasetError

VERSION = "v3.0"
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
FILES_PER_CHUNK = 1000
DATA_FILE_MB = 100


class Column(msgspec.Struct, frozen=True):
    """One feature, as `meta/info.json` has it."""

    dtype: str  # a numpy name, or "image"
    shape: tuple[int, ...]
    names: tuple[str, ...] | dict[str, Any] | None = None

    def __str__(self) -> str:
        sides = ", ".join(map(str, self.shape))
        named = f" ({', '.join(self.names)})" if self.names else ""
        return f"{self.dtype} [{sides}]{named}"


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """`meta/info.json`; keys of other writers are passed over."""

    codebase_version: str
    robot_type: str | None = None
    total_episodes: int = 0
    total_frames: int = 0
    total_tasks: int = 0
    chunks_size: int = FILES_PER_CHUNK
    data_files_size_in_mb: int = DATA_FILE_MB
    fps: int | float
    splits: dict[str, str] = {}
    data_path: str = DATA
    video_path: str | None = None
    features: dict[str, Column]


def episodes_in_words(count: int) -> str:
    return f"{count} episode" + "s" * (count != 1)


def dataset_folder(dataset: DatasetConfig) -> Path:
    """`dataset.root`; without it, where LeRobot keeps the datasets of this user.

    That is `$HF_LEROBOT_HOME`, `$HF_HOME/lerobot` or `~/.cache/huggingface/lerobot`, and `repo_id` below it.
    """
    if dataset.root is not None:
        return Path(dataset.root).expanduser()
    assert dataset.repo_id is not None, "the configuration has one of the two"
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{cache}/huggingface")
    return Path(os.environ.get("HF_LEROBOT_HOME", f"{home}/lerobot")).expanduser() / dataset.repo_id


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
        if version != VERSION:
            raise DatasetError(
                f"{root} is a dataset of version {version}; this program reads {VERSION}. Convert it with"
                " LeRobot's convert_dataset_v21_to_v30."
            )
        return msgspec.json.decode(text, type=Info)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} is not the description of a dataset ({error})") from error
