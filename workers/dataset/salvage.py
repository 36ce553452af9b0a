"""The episodes that can be had from a dataset whose files are damaged, whatever its list of them says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workers.dataset.layout import Info, Place
from workers.dataset.listing import list_files
from workers.dataset.pictures import video_length
from workers.dataset.reader import READING_FAILS
from workers.dataset.tables import place_in

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """An episode whose frames are all there."""

    number: int  # as its frames and the list have it
    data: Path
    length: int
    row: Row | None  # of the list, where that could be read
    spans: Mapping[str, tuple[Place, float]]  # by camera: the file of the video, and where in it, s

    def table(self) -> pa.Table:
        """Its frames, in order."""
        return _rows_of(self.data, self.number)


@dataclass(frozen=True, slots=True)
class Salvage:
    """What can be had."""

    fps: float
    episodes: list[Salvaged] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # a sentence for each that cannot


def salvage(root: Path, info: Info) -> Salvage:
    """Look through the tables of frames in their order; nothing is written."""
    listed = _listed(root)
    found = Salvage(_measured_fps(root, info))
    videos = _Videos(root, info, found.fps)
    seen: set[int] = set()
    for path in sorted((root / "data").glob("*/*.parquet")):
        try:
            numbers = pq.read_table(path, columns=["episode_index"], partitioning=None)[
                "episode_index"
            ].to_numpy()
        except READING_FAILS as error:
            found.lost.append(f"{path.relative_to(root)} is left out, its frames cannot be read ({error})")
            continue
        for number in dict.fromkeys(int(number) for number in numbers if int(number) not in seen):
            seen.add(number)
            row, length = listed.get(number), int((numbers == number).sum())
            try:
                spans = videos.spans(row, length)
                _must_be_whole(path, number, row, bool(spans))
                found.episodes.append(Salvaged(number, path, length, row, spans))
            except READING_FAILS as error:
                found.lost.append(f"episode {number} is left out: {error}")
    found.lost.extend(
        f"episode {number} is left out: its frames are gone" for number in sorted(listed.keys() - seen)
    )
    return found


def _listed(root: Path) -> dict[int, Row]:
    """Rows of the list of episodes that can be read, by number."""
    rows: dict[int, Row] = {}
    for path in list_files(root):
        try:
            rows |= {
                int(row["episode_index"]): row for row in pq.read_table(path, partitioning=None).to_pylist()
            }
        except READING_FAILS:
            continue
    return rows


def _must_be_whole(path: Path, number: int, row: Row | None, with_video: bool) -> None:
    """Raise LookupError for an episode of which frames are missing; those of a video belong to their numbers."""
    steps = _rows_of(path, number, ["frame_index"])["frame_index"].to_numpy()
    if row is not None and row["length"] and len(steps) < row["length"]:
        raise LookupError(f"{len(steps)} of its {row['length']} frames are there")
    if with_video and row is None and not np.array_equal(steps, np.arange(len(steps))):
        raise LookupError("its frames do not run on, and nothing tells which pictures are theirs")


def _rows_of(path: Path, number: int, columns: list[str] | None = None) -> pa.Table:
    return pq.read_table(path, columns=columns, filters=[("episode_index", "==", number)], partitioning=None)


def _measured_fps(root: Path, info: Info) -> float:
    """The frame rate by the times of the frames and by the videos, where these agree; else that of info.json."""
    rates = set()
    for path in _readable(root):
        table = pq.read_table(path, columns=["episode_index", "timestamp"], partitioning=None)
        same = np.diff(table["episode_index"].to_numpy()) == 0
        steps_s = np.diff(table["timestamp"].to_numpy().astype(np.float64))[same]
        if len(steps_s) and np.ptp(steps_s) < 1e-3 * steps_s[0]:
            rates.add(round(1 / float(np.median(steps_s)), 2))
        elif len(steps_s):
            return info.fps
    for path in (root / "videos").glob("*/*/*.mp4"):
        try:
            rates.add(round(video_length(path)[1], 2))
        except READING_FAILS:
            continue
    return rates.pop() if len(rates) == 1 else info.fps


def _readable(root: Path) -> Iterator[Path]:
    for path in sorted((root / "data").glob("*/*.parquet")):
        try:
            pq.read_metadata(path)
        except READING_FAILS:
            continue
        yield path


class _Videos:
    """Where the pictures of episode after episode are, of those of one dataset."""

    def __init__(self, root: Path, info: Info, fps: float) -> None:
        self._root, self._info, self._fps = root, info, fps
        self._cameras = [key for key, column in info.features.items() if column.dtype == "video"]
        self._next: dict[str, tuple[Place, int]] = {key: (Place(0, 0), 0) for key in self._cameras}

    def spans(self, row: Row | None, length: int) -> dict[str, tuple[Place, float]]:
        """Those of the next episode, of `length` frames; raises LookupError where one is not to be had.

        Without a row of the list its pictures follow those of the episode before.
        """
        found = {}
        for key in self._cameras:
            place, first = self._next[key] if row is None else self._listed(row, key)
            if row is None and first >= self._frames(key, place):
                place, first = place.next(self._info.chunks_size), 0
            if self._frames(key, place) < first + length:
                raise LookupError(f"the video of {key} ends before it does")
            self._next[key] = place, first + length
            found[key] = place, first / self._fps
        return found

    def _listed(self, row: Row, key: str) -> tuple[Place, int]:
        # in times of info.json's rate, right or wrong
        return place_in(row, f"videos/{key}"), round(row[f"videos/{key}/from_timestamp"] * self._info.fps)

    def _frames(self, key: str, place: Place) -> int:
        path = self._root / str(self._info.video_path).format(
            video_key=key, chunk_index=place.chunk, file_index=place.file
        )
        if not path.is_file():
            raise LookupError(f"{path.relative_to(self._root)} is missing")
        count, fps = video_length(path)
        if abs(fps - self._fps) > 1e-3 * self._fps:
            raise LookupError(f"{path.relative_to(self._root)} has {fps:g} frames a second")
        return count
