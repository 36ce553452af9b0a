"""A dataset with few large files in the place of many small ones; every frame and every picture stays as it is.

A recording gives each episode files of its own, so that a saved one is safe. LeRobot keeps every video open that it
has read from (its `VideoDecoderCache`), and a process may have 1,024 files open: two cameras and some 500 episodes.
Videos are joined packet by packet, none is encoded again, up to the sizes that LeRobot itself uses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workers.dataset import layout
from workers.dataset.durable import open_part, sync, take_names
from workers.dataset.errors import DatasetError
from workers.dataset.layout import VIDEO, Place
from workers.dataset.pieces import DATA, Piece, Progress, Source
from workers.dataset.rebuild import link, write_rest
from workers.dataset.remux import join_videos, make_of
from workers.dataset.tables import COMPRESSION, placed

_MB = 2**20  # as LeRobot counts the size of a file
_NOBODY = Place(0, -1)


@dataclass(frozen=True, slots=True)
class Joins:
    """Which files of a dataset become one: lists of files by "data" or camera, in the order of their episodes."""

    groups: Mapping[str, Sequence[Sequence[Path]]]

    @property
    def before(self) -> int:
        """How many files there are."""
        return sum(len(group) for groups in self.groups.values() for group in groups)

    @property
    def after(self) -> int:
        """How many there will be."""
        return sum(map(len, self.groups.values()))


def joins_of(source: Source) -> Joins:
    """What can be joined in a dataset: files of the same make, up to the size its `meta/info.json` gives.

    Raises what READING_FAILS names.
    """
    pieces, info = source.wholes(), source.info
    data = _groups(_files(pieces, DATA), info.data_files_size_in_mb, pq.read_schema)
    videos = {
        key: _groups(_files(pieces, key), info.video_files_size_in_mb, make_of) for key in source.videos
    }
    return Joins({DATA: data, **videos})


def join(aside: Path, pieces: Sequence[Piece], source: Source, progress: Progress) -> None:
    """Write the dataset of `pieces`, all those of `source`, into the empty folder `aside`, its files joined.

    Raises what READING_FAILS names, and DatasetError.
    """
    joins, done = joins_of(source), 0
    found: dict[str, dict[Path, tuple[Place, int]]] = {}
    for key, groups in joins.groups.items():
        place, found[key] = _NOBODY, {}
        for group in groups:
            place = place.next(source.info.chunks_size)
            firsts = _joined(aside / _name(key, place), key, group, source.info.fps)
            found[key] |= {path: (place, first) for path, first in zip(group, firsts, strict=True)}
            done += len(group)
            progress(done, joins.before)
    rows = [_row(piece, {key: found[key][piece.path(key)] for key in found}) for piece in pieces]
    write_rest(aside, rows, source, source.tasks, pieces)


def _files(pieces: Iterable[Piece], key: str) -> list[Path]:
    return list(dict.fromkeys(piece.path(key) for piece in pieces))


def _groups(files: Sequence[Path], most_mb: float, make: Callable[[Path], object]) -> list[list[Path]]:
    """The files in a row, split where they would become too large or are of another make."""
    groups: list[list[Path]] = []
    size, of = 0, None
    for path in files:
        larger, kind = size + path.stat().st_size, make(path)
        if groups and kind == of and larger < most_mb * _MB:
            groups[-1].append(path)
            size = larger
        else:
            groups.append([path])
            size, of = path.stat().st_size, kind
    return groups


def _joined(path: Path, key: str, files: Sequence[Path], fps: float) -> Sequence[int]:
    """Make the file `path` of `files`; how many pictures come before each of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(files) == 1:
        link(files[0], path)
        return [0]
    if key == DATA:
        _join_tables(path, files)
        return [0] * len(files)
    return join_videos(path, files, fps)


def _join_tables(path: Path, files: Sequence[Path]) -> None:
    """The row groups of `files` one after the other, as they are."""
    with open_part(path) as file:
        with pq.ParquetWriter(file, pq.read_schema(files[0]), compression=COMPRESSION) as out:
            for each in files:
                with pq.ParquetFile(each) as before:
                    for group in range(before.num_row_groups):
                        out.write_table(before.read_row_group(group))
        sync(file)
    take_names([path])


def _name(key: str, place: Place) -> str:
    numbers = {"chunk_index": place.chunk, "file_index": place.file}
    return layout.DATA.format(**numbers) if key == DATA else VIDEO.format(video_key=key, **numbers)


def _row(piece: Piece, places: Mapping[str, tuple[Place, int]]) -> dict[str, Any]:
    """The piece in the list of episodes, in its new files."""
    row, fps = dict(piece.row), piece.source.info.fps
    spans = piece.source.dataset.episodes[piece.episode].videos
    for key, (place, before) in places.items():
        if key == DATA:
            row |= placed("data", place)
            continue
        row |= placed(f"videos/{key}", place)
        if before:
            first = spans[key].first + before
            row[f"videos/{key}/from_timestamp"] = first / fps
            row[f"videos/{key}/to_timestamp"] = (first + piece.length) / fps
    return row


def check_worth(joins: Joins, root: Path) -> None:
    """Raise DatasetError where there is nothing to join."""
    if joins.after == joins.before:
        raise DatasetError(
            f"there is nothing to join in {root}: its {joins.before} files are as large as they may be, or of different"
            " makes"
        )
