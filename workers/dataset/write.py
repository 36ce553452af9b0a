"""DatasetWriter: a LeRobotDataset v3.0 with pictures as PNG, episode by episode, into an empty folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import datasets
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.columns import Frames
from workers.dataset.layout import (
    DATA,
    DATA_FILE_MB,
    EPISODES,
    FILES_PER_CHUNK,
    INFO,
    STATS,
    TASKS,
    VERSION,
    Column,
    Info,
)
from workers.dataset.stats import PictureLevels, Stats, of_values

_PNG_LEVEL = 1  # 6 takes nearly twice as long and saves 3 % of a camera picture


class DatasetWriter:
    """Takes episodes of one task; the dataset can be opened after `finish`.

    Args:
        root: an empty folder.
        columns: every column, LeRobot's automatic ones included.
        fps: frames a second.
        task: what is done in every episode, in words.
        robot_type: the arm's.
    """

    def __init__(
        self, root: Path, columns: dict[str, Column], fps: float, task: str, robot_type: str | None
    ) -> None:
        self._root = root
        self._columns = columns
        self._fps = int(fps) if float(fps).is_integer() else fps
        self._task = task
        self._robot_type = robot_type
        self._schema = _schema(columns)
        self._episodes: list[dict[str, Any]] = []
        self._frames = 0
        self._values: dict[str, list[NDArray[Any]]] = {}
        self._levels: dict[str, PictureLevels] = {}
        self._file = 0
        self._data: pq.ParquetWriter | None = None

    def add(self, frames: Frames) -> None:
        """Append an episode; `frames` has every column but the automatic ones."""
        length = len(next(iter(frames.values())))
        frames = {**frames, **self._automatic(length)}
        writer = self._writer()
        table = pa.table(
            {key: _array(column, frames[key]) for key, column in self._columns.items()}, schema=self._schema
        )
        writer.write_table(table)  # one row group an episode
        self._episodes.append(
            {
                "episode_index": len(self._episodes),
                "tasks": [self._task],
                "length": length,
                "data/chunk_index": self._file // FILES_PER_CHUNK,
                "data/file_index": self._file % FILES_PER_CHUNK,
                "dataset_from_index": self._frames,
                "dataset_to_index": self._frames + length,
                **dict(_flat(self._take_stats(frames))),
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
        )
        self._frames += length
        if self._path().stat().st_size >= DATA_FILE_MB * 2**20:
            self._close_data()
            self._file += 1

    def finish(self) -> None:
        """Write what describes the episodes."""
        self._close_data()
        self._write_table(EPISODES, pa.Table.from_pylist(self._episodes))
        self._write_table(TASKS, _tasks([self._task]))
        stats = {key: of_values(np.concatenate(parts)) for key, parts in self._values.items()}
        stats |= {key: levels.stats() for key, levels in self._levels.items()}
        ordered = {key: {name: value.tolist() for name, value in stats[key].items()} for key in self._columns}
        self._write_json(STATS, ordered)
        self._write_json(INFO, self._info())

    def _info(self) -> Info:
        return Info(
            codebase_version=VERSION,
            robot_type=self._robot_type,
            total_episodes=len(self._episodes),
            total_frames=self._frames,
            total_tasks=1,
            fps=self._fps,
            splits={"train": f"0:{len(self._episodes)}"},
            features=self._columns,
        )

    def _automatic(self, length: int) -> Frames:
        numbers = np.arange(length)
        return {
            "timestamp": (numbers / self._fps).astype(np.float32),
            "frame_index": numbers,
            "episode_index": np.full(length, len(self._episodes)),
            "index": self._frames + numbers,
            "task_index": np.zeros(length, np.int64),
        }

    def _take_stats(self, frames: Frames) -> dict[str, Stats]:
        """Statistics of this episode by column; what the whole dataset's are made of is kept."""
        stats = {}
        for key, column in self._columns.items():
            if column.dtype == "image":
                own = PictureLevels()
                own.add(frames[key])
                self._levels.setdefault(key, PictureLevels()).merge(own)
                stats[key] = own.stats()
            else:
                self._values.setdefault(key, []).append(frames[key])
                stats[key] = of_values(frames[key])
        return stats

    # files

    def _path(self) -> Path:
        number = divmod(self._file, FILES_PER_CHUNK)
        return self._root / DATA.format(chunk_index=number[0], file_index=number[1])

    def _writer(self) -> pq.ParquetWriter:
        if self._data is None:
            self._path().parent.mkdir(parents=True, exist_ok=True)
            self._data = pq.ParquetWriter(self._path(), self._schema, compression="snappy")
        return self._data

    def _close_data(self) -> None:
        if self._data is not None:
            self._data.close()
            self._data = None

    def _write_table(self, name: str, table: pa.Table) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="snappy")

    def _write_json(self, name: str, content: object) -> None:
        (self._root / name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=4))


def _schema(columns: dict[str, Column]) -> pa.Schema:
    """Arrow types with the notes by which `datasets` knows pictures."""

    def feature(column: Column) -> Any:
        if column.dtype == "image":
            return datasets.Image()
        value = datasets.Value(column.dtype)
        return value if column.shape == (1,) else datasets.List(value, length=column.shape[0])

    return datasets.Features({key: feature(column) for key, column in columns.items()}).arrow_schema


def _array(column: Column, values: NDArray[Any]) -> pa.Array:
    """The Arrow array of a column's rows [n, ...]."""
    if column.dtype == "image":
        names = [f"frame-{number:06d}.png" for number in range(len(values))]
        return pa.StructArray.from_arrays(
            [pa.array(map(_png, values), pa.binary()), pa.array(names)], ["bytes", "path"]
        )
    flat = pa.array(values.ravel())
    return flat if column.shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, column.shape[0])


def _png(picture: NDArray[np.uint8]) -> bytes:
    """A picture [H, W, 3], red first, as a PNG file."""
    _, encoded = cv2.imencode(
        ".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    )
    return encoded.tobytes()


def _flat(stats: dict[str, Stats]) -> Iterator[tuple[str, Any]]:
    for key, by_name in stats.items():
        for name, value in by_name.items():
            yield f"stats/{key}/{name}", value.tolist()


def _tasks(tasks: list[str]) -> pa.Table:
    """The tasks by number. Readers take the words from pandas' index, hence its description."""
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": tasks})
    described = [("task_index", "int64", "int64"), ("task", "unicode", "object")]
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
            for name, kind, numpy in described
        ],
    }
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})
