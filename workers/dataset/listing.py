"""The list of a dataset's episodes: v3.0 has it in tables, v2.0 and v2.1 in lines of JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from workers.dataset.layout import TASKS, VERSION, Info
from workers.dataset.tables import place_in, tasks_of


@dataclass(frozen=True, slots=True)
class Span:
    """Where an episode's pictures of one camera are."""

    path: Path
    first: int  # frame in that video


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of a dataset."""

    index: int
    length: int
    tasks: tuple[str, ...]
    first: int  # frames of the dataset before it
    data: Path  # the table with its frames, perhaps among others'
    videos: Mapping[str, Span]  # by camera


def list_files(root: Path) -> list[Path]:
    """The tables of the list of episodes (v3.0), in LeRobot's order."""
    return sorted((root / "meta" / "episodes").glob("*/*.parquet"))


def episodes_of(root: Path, info: Info) -> list[Episode]:
    """Every episode that is listed. Raises OSError, pa.ArrowException, msgspec.MsgspecError or LookupError."""
    if info.codebase_version != VERSION:
        return list(_old_episodes(root, info))
    rows: list[dict[str, Any]] = []
    for path in list_files(root):
        names = [name for name in pq.read_schema(path).names if not name.startswith("stats/")]
        rows += pq.read_table(path, columns=names, partitioning=None).to_pylist()
    return [_episode(root, info, row) for row in rows]


def read_tasks(root: Path, info: Info) -> list[str]:
    """The tasks by number. Raises like `episodes_of`."""
    if info.codebase_version == VERSION:
        return tasks_of(pq.read_table(root / TASKS, partitioning=None))
    lines = _lines(root / "meta" / "tasks.jsonl")
    return [line["task"] for line in sorted(lines, key=lambda line: int(line["task_index"]))]


def _episode(root: Path, info: Info, row: Mapping[str, Any]) -> Episode:
    data = place_in(row, "data")
    videos = {}
    for key in _videos(info):
        place, start_s = place_in(row, f"videos/{key}"), row[f"videos/{key}/from_timestamp"]
        if start_s is None or info.video_path is None:
            raise LookupError(f"episode {row['episode_index']} has no place in a video of {key}")
        path = info.video_path.format(video_key=key, chunk_index=place.chunk, file_index=place.file)
        videos[key] = Span(root / path, round(start_s * info.fps))
    return Episode(
        index=int(row["episode_index"]),
        length=int(row["length"]),
        tasks=tuple(row["tasks"] or ()),
        first=int(row["dataset_from_index"]),
        data=root / info.data_path.format(chunk_index=data.chunk, file_index=data.file),
        videos=videos,
    )


def _old_episodes(root: Path, info: Info) -> Iterable[Episode]:
    """One table and one video for each episode, and their names are all there is."""
    first = 0
    for line in sorted(_lines(root / "meta" / "episodes.jsonl"), key=lambda line: int(line["episode_index"])):
        index, length = int(line["episode_index"]), int(line["length"])
        names = {"episode_chunk": index // info.chunks_size, "episode_index": index}
        videos = {
            key: Span(root / (info.video_path or "").format(video_key=key, **names), 0)
            for key in _videos(info)
        }
        tasks = tuple(line.get("tasks") or ())
        yield Episode(index, length, tasks, first, root / info.data_path.format(**names), videos)
        first += length


def _videos(info: Info) -> list[str]:
    return [key for key, column in info.features.items() if column.dtype == "video"]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip()]
