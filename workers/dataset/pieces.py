"""What an edited dataset is made of: episodes of existing ones, whole or in part, with new labels or as they were."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from workers.dataset.errors import DatasetError
from workers.dataset.layout import INFO, VERSION, Column, Place
from workers.dataset.listing import list_files, read_tasks
from workers.dataset.notes import raw_notes
from workers.dataset.reader import READING_FAILS, Dataset
from workers.dataset.tables import place_in

DATA = "data"  # beside the keys of the cameras
_OF_THIS_VERSION = {"saving", "hub", "pushed"}  # notes that no edited one takes over
Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


def unheard(done: int, total: int) -> None:
    """Progress that nobody asks for."""


@dataclass(frozen=True, slots=True)
class Label:
    """A value for a column of frames `start` to `stop - 1` of an episode."""

    column: str
    value: float | bool
    start: int
    stop: int


class Source:
    """A dataset that is read to be edited. Raises DatasetError where it is none, is damaged or of an older version."""

    def __init__(self, root: Path) -> None:
        self.root, self.dataset = root, Dataset(root)
        self.info = self.dataset.info
        if self.info.codebase_version != VERSION:
            raise DatasetError(
                f"{root} is a dataset of version {self.info.codebase_version}, which can be read but not edited:"
                " convert it with LeRobot's convert_dataset_v21_to_v30 first."
            )
        if not self.info.total_episodes:
            raise DatasetError(f"{root} has no episode yet.")
        try:
            self.raw_info: dict[str, Any] = msgspec.json.decode((root / INFO).read_bytes())
            self.tasks = read_tasks(root, self.info)
            tables = [pq.read_table(path, partitioning=None) for path in list_files(root)]
            self.list_schema: pa.Schema = tables[0].schema.remove_metadata()
            rows = [row for table in tables for row in table.to_pylist()]
        except READING_FAILS as error:
            raise DatasetError(
                f"{root} cannot be read: {error}. `hilserl-worker dataset check` says more."
            ) from error
        self.rows: list[dict[str, Any]] = rows[: self.info.total_episodes]
        self.notes = raw_notes(root)

    @property
    def videos(self) -> dict[str, Column]:
        """The columns that are kept as videos."""
        return {key: column for key, column in self.info.features.items() if column.dtype == "video"}

    def whole(self, episode: int) -> "Piece":
        return Piece(self, episode, 0, self.dataset.episodes[episode].length)

    def wholes(self) -> "list[Piece]":
        return [self.whole(episode) for episode in range(len(self.rows))]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Frames `start` to `stop - 1` of an episode of `source`, which become an episode. Labels count its frames."""

    source: Source
    episode: int
    start: int
    stop: int
    labels: tuple[Label, ...] = ()

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def row(self) -> Mapping[str, Any]:
        """Its row in the list of episodes of `source`."""
        return self.source.rows[self.episode]

    @property
    def is_whole(self) -> bool:
        return self.length == self.source.dataset.episodes[self.episode].length

    def place(self, key: str) -> Place:
        """The file where its frames (`DATA`) or the pictures of a camera are."""
        return place_in(self.row, DATA if key == DATA else f"videos/{key}")

    def path(self, key: str) -> Path:
        episode = self.source.dataset.episodes[self.episode]
        return episode.data if key == DATA else episode.videos[key].path


def merged_notes(pieces: Iterable[Piece], sources: Iterable[Source]) -> dict[str, Any]:
    """The notes of the edited dataset: every origin ever known, those of episodes that are gone without a number."""
    sources = list(sources)
    numbers = {(id(piece.source), piece.episode): number for number, piece in enumerate(pieces)}
    origins: dict[str, int | None] = {}
    for source in sources:
        for origin, episode in source.notes.get("origins", {}).items():
            number = numbers.get((id(source), episode))
            if number is not None or origin not in origins:
                origins[origin] = number
    kept = {key: value for key, value in sources[0].notes.items() if key not in _OF_THIS_VERSION}
    return {**kept, "origins": origins} if origins or kept else {}
