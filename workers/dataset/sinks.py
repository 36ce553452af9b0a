"""What an episode is written into while it is recorded: a video for each camera, and the table of its frames."""

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.durable import open_part, part_of, sync
from workers.dataset.layout import Column, Frames
from workers.dataset.pictures import Picture, VideoWriter, png_of
from workers.dataset.stats import PictureLevels, Stats, of_values
from workers.dataset.tables import COMPRESSION, frames_table

Row = Mapping[str, NDArray[Any]]
_PNG_THREADS = 2
_PICTURES_AT_ONCE = 16  # rows of a row group where pictures are among them; memory stays small


@dataclass(frozen=True, slots=True)
class Automatic:
    """What LeRobot's own columns say of an episode."""

    episode: int
    first: int  # frames of the dataset before it
    fps: float
    task: int

    def rows(self, start: int, stop: int) -> Frames:
        """LeRobot's columns of frames `start` to `stop - 1`."""
        numbers = np.arange(start, stop)
        return {
            "timestamp": (numbers / self.fps).astype(np.float32),
            "frame_index": numbers,
            "episode_index": np.full(len(numbers), self.episode),
            "index": self.first + numbers,
            "task_index": np.full(len(numbers), self.task),
        }


class VideoFile:
    """The pictures of one camera, encoded as they come. Raises OSError."""

    def __init__(self, path: Path, column: Column, fps: float) -> None:
        height, width, _ = column.picture_shape
        self._levels = PictureLevels()
        self._file = open_part(path)
        self._video = VideoWriter(self._file, height, width, fps)

    def add(self, item: Picture) -> None:
        self._video.add(item)
        self._levels.add(item)

    def finish(self) -> None:
        self._video.close()
        with self._file:
            sync(self._file)

    def give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._video.close()
        with contextlib.suppress(OSError):
            self._file.close()

    def stats(self) -> Stats:
        """After `finish`."""
        return self._levels.stats()


class TableFile:
    """The frames of an episode, one row each; pictures that have no video are in it as PNG. Raises OSError."""

    def __init__(
        self, path: Path, columns: Mapping[str, Column], schema: pa.Schema, automatic: Automatic
    ) -> None:
        in_table = [key for key, column in columns.items() if column.dtype == "image"]
        self._levels = {key: PictureLevels() for key in in_table}
        self._columns, self._schema, self._automatic = columns, schema, automatic
        self._numbers: dict[str, list[NDArray[Any]]] = {}
        self._waiting: list[dict[str, Any]] = []  # of pictures what will be the PNG file
        self._written = 0
        self._file = open_part(path)
        self._table = pq.ParquetWriter(self._file, schema, compression=COMPRESSION)
        self._encoders = ThreadPoolExecutor(_PNG_THREADS)

    def add(self, item: Row) -> None:
        waiting: dict[str, Any] = {}
        for key, value in item.items():
            if key in self._levels:
                waiting[key] = self._encoders.submit(png_of, value)
                self._levels[key].add(value)
            else:
                waiting[key] = value
                self._numbers.setdefault(key, []).append(value)
        self._waiting.append(waiting)
        if self._levels and len(self._waiting) == _PICTURES_AT_ONCE:
            self._write_waiting()

    def finish(self) -> None:
        self._write_waiting()
        self._encoders.shutdown()
        self._table.close()
        with self._file:
            sync(self._file)

    def give_up(self) -> None:
        self._encoders.shutdown()
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._table.close()
        with contextlib.suppress(OSError):
            self._file.close()

    def stats(self) -> dict[str, Stats]:
        """By column of the table, after `finish`."""
        numbers = {key: np.stack(rows) for key, rows in self._numbers.items()}
        numbers |= self._automatic.rows(0, self._written)
        of_pictures = {key: levels.stats() for key, levels in self._levels.items()}
        return {key: of_values(rows) for key, rows in numbers.items()} | of_pictures

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        rows: Frames = {key: self._column(key) for key in self._waiting[0]}
        rows |= self._automatic.rows(self._written, self._written + len(self._waiting))
        self._table.write_table(frames_table(self._schema, self._columns, rows, self._written))
        self._written += len(self._waiting)
        self._waiting = []

    def _column(self, key: str) -> NDArray[Any]:
        """What waits of a column; of pictures the PNG files."""
        values = [row[key] for row in self._waiting]
        return (
            np.array([value.result() for value in values], object)
            if key in self._levels
            else np.stack(values)
        )


def set_task(path: Path, schema: pa.Schema, task: int) -> None:
    """Write the finished part of the table `path` again, of another task, a row group at a time. Raises OSError."""
    part = part_of(path)
    column = schema.get_field_index("task_index")
    with pq.ParquetFile(part) as before, open_part(part) as file:
        with pq.ParquetWriter(file, schema, compression=COMPRESSION) as out:
            for group in range(before.num_row_groups):
                table = before.read_row_group(group)
                numbers = pa.array(np.full(table.num_rows, task, np.int64))
                out.write_table(table.set_column(column, schema.field(column), numbers))
        sync(file)
    part_of(part).rename(part)
