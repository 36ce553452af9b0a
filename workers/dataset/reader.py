"""Dataset: a LeRobotDataset of v3.0, v2.1 or v2.0 on the disk, with pictures as PNG or as videos."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.errors import DatasetError
from workers.dataset.layout import Column, Frames, read_info
from workers.dataset.listing import Episode, episodes_of, read_tasks
from workers.dataset.pictures import Picture, picture_of, video_frames

READING_FAILS = (
    OSError, pa.ArrowException, msgspec.MsgspecError, av.FFmpegError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What a damaged file may raise, one way or another."""
_ROWS_AT_ONCE = 4  # of pictures in a table; at 640x480, 2 MB
_READ_BYTES = 2**20  # at once: a row group, which may be a whole episode, is never in memory as a whole


class Dataset:
    """What is in the folder `root`. Raises DatasetError where it is none, is damaged or is not all there.

    Opening reads the list of episodes and looks whether every file is there; what is in the files is read by
    `frames` and `pictures`. An episode that was being saved when its recorder was killed is passed over.
    """

    def __init__(self, root: Path) -> None:
        info = read_info(root)
        if info is None:
            raise DatasetError(
                f"there is no dataset in {root}: it has no meta/info.json. Is the folder right, and was it copied or"
                " downloaded to its end?"
            )
        self.root, self.info = root, info
        with self.reading("the list of episodes"):
            self.tasks: Sequence[str] = read_tasks(root, info) if info.total_episodes else ()
            self.episodes: Sequence[Episode] = self._listed()

    def frames(self, episode: int, columns: Collection[str] | None = None) -> Frames:
        """Rows of an episode by column, all or those of `columns`; pictures uint8 [n, H, W, 3].

        Raises DatasetError when they cannot be read, KeyError for a column that the dataset does not have.
        """
        wanted = list(self.info.features if columns is None else columns)
        features = {key: self.info.features[key] for key in wanted}
        table = self._table(episode, [key for key, column in features.items() if not column.is_picture])
        found: Frames = {}
        for key, column in features.items():
            if column.is_picture:
                found[key] = np.stack(list(self.pictures(episode, key)))
            else:
                with self.reading(f"{key} of episode {episode}"):
                    found[key] = values_of(table[key], column)
        return found

    def pictures(
        self, episode: int, camera_key: str, start: int = 0, stop: int | None = None, threads: int = 0
    ) -> Iterator[Picture]:
        """Pictures `start` to `stop - 1` of an episode (None: to its end), one at a time, uint8 [H, W, 3].

        `threads` decode a video, 0: as many as the machine has cores. Raises like `frames`.
        """
        of = self._episode(episode)
        stop = of.length if stop is None else min(stop, of.length)
        if start >= stop:
            return
        with self.reading(f"{camera_key} of episode {episode}"):
            if self.info.features[camera_key].dtype == "video":
                span = of.videos[camera_key]
                yield from video_frames(span.path, span.first + start, stop - start, self.info.fps, threads)
            else:
                yield from stored_pictures(of, camera_key, start, stop)

    def _listed(self) -> list[Episode]:
        episodes = episodes_of(self.root, self.info)[: self.info.total_episodes]
        if len(episodes) < self.info.total_episodes:
            raise LookupError(
                f"meta/info.json counts {self.info.total_episodes} episodes, {len(episodes)} are listed"
            )
        frames = 0
        for number, episode in enumerate(episodes):
            if (episode.index, episode.first) != (number, frames):
                raise LookupError(
                    f"episode {number} is listed as {episode.index}, from frame {episode.first}"
                )
            frames += episode.length
        if frames != self.info.total_frames:
            raise LookupError(f"meta/info.json counts {self.info.total_frames} frames, {frames} are listed")
        files = {episode.data for episode in episodes}
        files |= {span.path for episode in episodes for span in episode.videos.values()}
        for path in sorted(files):
            if not path.is_file():
                raise LookupError(f"{path.relative_to(self.root)} is missing")
        return episodes

    def _episode(self, number: int) -> Episode:
        if not 0 <= number < len(self.episodes):
            count = len(self.episodes)
            raise DatasetError(f"there is no episode {number} in {self.root}: it has {count}, counted from 0")
        return self.episodes[number]

    def _table(self, number: int, columns: list[str]) -> pa.Table:
        """Columns of an episode that are in its table."""
        episode = self._episode(number)
        with self.reading(f"episode {number}"):
            names = dict.fromkeys([*columns, "frame_index"])
            wanted = [("episode_index", "==", number)]
            table = pq.read_table(episode.data, columns=list(names), filters=wanted, partitioning=None)
            if table.num_rows != episode.length:
                where = episode.data.relative_to(self.root)
                raise LookupError(f"{where} has {table.num_rows} of its {episode.length} frames")
            return table.sort_by("frame_index")

    @contextlib.contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Whatever a damaged file raises becomes one sentence with what to do."""
        try:
            yield
        except DatasetError:
            raise
        except READING_FAILS as error:
            why = error.args[0] if isinstance(error, LookupError) and error.args else error
            raise DatasetError(
                f"{what} of {self.root} cannot be read: {why}. Was the dataset copied or downloaded to its end? Fetch"
                " it again, or let `hilserl-worker dataset repair` mend what can be mended."
            ) from error


def values_of(column: pa.ChunkedArray, described: Column) -> NDArray[Any]:
    """[n] of a column of one element, [n, ...] of others."""
    shape = () if described.shape == (1,) else described.shape
    count = len(column)
    if described.dtype == "string":
        return np.array(column.to_pylist(), object)
    flat = column.combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    if isinstance(flat, pa.ExtensionArray):
        flat = flat.storage
    while (
        pa.types.is_list(flat.type)
        or pa.types.is_fixed_size_list(flat.type)
        or pa.types.is_large_list(flat.type)
    ):
        flat = flat.flatten()
    values: NDArray[Any] = flat.to_numpy(zero_copy_only=False)
    if values.size != count * int(np.prod(shape)):
        raise LookupError(
            f"{values.size} values where {count} of shape {list(described.shape)} are described"
        )
    return values.astype(described.dtype, copy=False).reshape(count, *shape)


def stored_pictures(episode: Episode, key: str, start: int, stop: int) -> Iterator[Picture]:
    """Pictures in a table, from as few of its row groups as possible."""
    due = start
    with pq.ParquetFile(episode.data, buffer_size=_READ_BYTES, pre_buffer=False) as file:
        groups = [group for group in range(file.num_row_groups) if _may_have(file, group, episode.index)]
        columns = ["episode_index", "frame_index", key]
        for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=groups, columns=columns, use_threads=False):
            number = batch.column("frame_index")
            inside = pc.and_(pc.greater_equal(number, start), pc.less(number, stop))
            rows = batch.filter(pc.and_(pc.equal(batch.column("episode_index"), episode.index), inside))
            for frame, stored in zip(rows.column("frame_index").to_pylist(), rows.column(key), strict=True):
                if frame != due:
                    raise LookupError(f"frame {due} is missing")
                row = stored.as_py()
                if row is None or row["bytes"] is None:
                    raise LookupError(f"frame {due} has no picture")
                yield picture_of(row["bytes"])
                due += 1
    if due < stop:
        raise LookupError(f"frame {due} is missing")


def _may_have(file: pq.ParquetFile, group: int, episode: int) -> bool:
    """Whether rows of the episode may be in a row group, by what the file says of it."""
    described = file.metadata.row_group(group)
    for number in range(described.num_columns):
        column = described.column(number)
        if column.path_in_schema == "episode_index" and column.statistics is not None:
            return bool(column.statistics.min <= episode <= column.statistics.max)
    return True
