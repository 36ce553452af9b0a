"""The episode that is being recorded, on its way to the disk.

Everything is written under temporary names (`workers.dataset.durable`), so that an episode that is dropped, or cut
by a kill or a full disk, was never there.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from workers.dataset.background import Background
from workers.dataset.durable import part_of, remove
from workers.dataset.layout import Column
from workers.dataset.sinks import Automatic, Row, TableFile, VideoFile, set_task
from workers.dataset.stats import Stats, of_values

_BYTES_BEHIND = 2**26  # of raw pictures in each queue: a second or two of 640x480 at 30 fps
_LEAST_BEHIND, _MOST_BEHIND = 4, 256


class RunningEpisode:
    """Takes an episode frame by frame. Raises OSError where the disk is full, at once or some frames later.

    Args:
        data: the file of its table.
        videos: the file of each camera whose pictures are kept as a video; the others' go into the table.
        columns: all columns of the dataset.
        schema: of the table.
        automatic: as far as it is known; the task may turn out to be another (`finish`).
    """

    def __init__(
        self,
        data: Path,
        videos: Mapping[str, Path],
        columns: Mapping[str, Column],
        schema: pa.Schema,
        automatic: Automatic,
    ) -> None:
        self.length = 0
        self.files = [*videos.values(), data]
        self._columns, self._schema, self._automatic = columns, schema, automatic
        self._videos = {key: self._video(key, path) for key, path in videos.items()}
        self._table = Background(
            lambda: TableFile(data, columns, schema, automatic),
            _behind(column for key, column in columns.items() if column.dtype == "image"),
        )

    def add(self, frame: Row) -> None:
        """Take in a frame, copied: the caller's memory is free again."""
        for key, video in self._videos.items():
            video.put(np.array(frame[key]))
        self._table.put({key: np.array(value) for key, value in frame.items() if key not in self._videos})
        self.length += 1

    def finish(self, task: int, breathe: Callable[[], object] = lambda: None) -> dict[str, Stats]:
        """Bring everything to the disk, still under temporary names; statistics by column, LeRobot's too.

        `breathe` is called while it gets on.
        """
        table = self._table.close(breathe)
        videos = {key: video.close(breathe) for key, video in self._videos.items()}
        breathe()
        if task != self._automatic.task:
            set_task(self._data, self._schema, task)
        stats = table.stats() | {key: video.stats() for key, video in videos.items()}
        stats["task_index"] = of_values(np.full(self.length, task))
        return {key: stats[key] for key in self._columns}

    def abandon(self) -> None:
        """Take away what was written."""
        self._table.abandon()
        for video in self._videos.values():
            video.abandon()
        remove(part_of(path) for path in self.files)
        remove([part_of(part_of(self._data))])

    @property
    def _data(self) -> Path:
        return self.files[-1]

    def _video(self, key: str, path: Path) -> Background[VideoFile]:
        column, fps = self._columns[key], self._automatic.fps
        return Background(lambda: VideoFile(path, column, fps), _behind([column]))


def _behind(columns: Iterable[Column]) -> int:
    """How many pictures of these columns may wait."""
    size = sum(int(np.prod(column.shape)) for column in columns)
    return min(max(_BYTES_BEHIND // max(size, 1), _LEAST_BEHIND), _MOST_BEHIND)
