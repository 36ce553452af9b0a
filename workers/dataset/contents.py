"""What a dataset that is being written has so far, and the files that another episode changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workers.dataset.durable import take_names, write_part
from workers.dataset.layout import (
    EPISODES,
    INFO,
    STATS,
    TASKS,
    VERSION,
    VIDEO,
    Column,
    Info,
    Place,
)
from workers.dataset.listing import list_files, read_tasks
from workers.dataset.notes import NOTES, Crops, Notes, Saving, read_notes
from workers.dataset.stats import Stats, aggregated
from workers.dataset.tables import (
    episodes_schema,
    flat,
    place_in,
    placed,
    stats_of,
    table_bytes,
    tasks_table,
    with_row,
)

EPISODES_PER_LIST = 100  # then the next file is begun, so that saving takes as long as at the start
_BEFORE_THE_FIRST = Place(0, -1)


@dataclass(frozen=True, slots=True)
class Contents:
    """A dataset as of its last saved episode.

    Attributes:
        info: `meta/info.json`, with the keys of other writers.
        listed: the last file of the list of episodes, at `list_place`.
        places: the file that came last, by "data" or camera.
    """

    info: Mapping[str, Any]
    tasks: tuple[str, ...]
    listed: pa.Table
    list_place: Place
    places: Mapping[str, Place]
    stats: Mapping[str, Stats]
    notes: Notes

    @property
    def episodes(self) -> int:
        return int(self.info["total_episodes"])

    @property
    def frames(self) -> int:
        return int(self.info["total_frames"])

    def next_places(self) -> dict[str, Place]:
        """The files of the next episode."""
        return {key: place.next(int(self.info["chunks_size"])) for key, place in self.places.items()}

    def task_index(self, task: str) -> int:
        """The number of a task; that of a new one comes after the others."""
        return self.tasks.index(task) if task in self.tasks else len(self.tasks)

    def with_episode(
        self,
        length: int,
        task: str,
        stats: Mapping[str, Stats],
        origin: str,
        files: Iterable[str],
        spans: Mapping[str, tuple[Place, float]] | None = None,
    ) -> "Contents":
        """With one more episode, whose own files, those of `next_places`, are `files` (relative to the dataset).

        `spans` is where a camera's pictures are, and from what time on, if not in a video of their own.
        """
        starts_s = {key: start_s for key, (_, start_s) in (spans or {}).items()}
        places = self.next_places() | {key: place for key, (place, _) in (spans or {}).items()}
        list_place, listed = self.list_place, self.listed
        if listed.num_rows >= EPISODES_PER_LIST or list_place == _BEFORE_THE_FIRST:
            list_place, listed = list_place.next(int(self.info["chunks_size"])), listed.slice(0, 0)
        row = self._row(length, task, places, starts_s) | flat(stats) | placed("meta/episodes", list_place)
        tasks = self.tasks if task in self.tasks else (*self.tasks, task)
        counted = {
            "total_episodes": self.episodes + 1,
            "total_frames": self.frames + length,
            "total_tasks": len(tasks),
            "splits": {"train": f"0:{self.episodes + 1}"},
        }
        changed = [TASKS] * (tasks != self.tasks) + [EPISODES.format(**_named(list_place)), STATS, INFO]
        return Contents(
            info={**self.info, **counted},
            tasks=tasks,
            listed=with_row(listed, row),
            list_place=list_place,
            places=places,
            stats=aggregated([*([self.stats] if self.stats else []), stats]),
            notes=self.notes.with_episode(origin, Saving(self.episodes, (*files, *changed))),
        )

    def _row(
        self, length: int, task: str, places: Mapping[str, Place], starts_s: Mapping[str, float]
    ) -> dict[str, Any]:
        """What the list of episodes says of the next one, but its statistics."""
        row = {
            "episode_index": self.episodes,
            "tasks": [task],
            "length": length,
            "dataset_from_index": self.frames,
            "dataset_to_index": self.frames + length,
        }
        for key, place in places.items():
            row |= placed("data" if key == "data" else f"videos/{key}", place)
            if key != "data":
                start_s = starts_s.get(key, 0.0)
                row[f"videos/{key}/from_timestamp"] = start_s
                row[f"videos/{key}/to_timestamp"] = start_s + length / self.info["fps"]
        return row

    def prepare(self, root: Path) -> None:
        """Bring what is new with the last episode to the disk, under temporary names. Raises OSError."""
        contents = {
            TASKS: table_bytes(tasks_table(self.tasks)),
            EPISODES.format(**_named(self.list_place)): table_bytes(self.listed),
            STATS: as_json(ordered(self.stats, self.info["features"])),
            INFO: as_json(self.info),
        }
        for name in self._saving.files:
            if name in contents:
                write_part(root / name, contents[name])
        write_part(root / NOTES, self.notes.encoded())

    def commit(self, root: Path) -> None:
        """Give the files of the last episode their names. Raises OSError.

        With the notes, which are first, the episode is certain: `recover` does what a kill leaves undone.
        """
        take_names([root / NOTES])
        take_names(root / name for name in self._saving.files)

    @property
    def _saving(self) -> Saving:
        assert self.notes.saving is not None, "an episode was added"
        return self.notes.saving


def _named(place: Place) -> dict[str, int]:
    return {"chunk_index": place.chunk, "file_index": place.file}


def fresh(
    columns: Mapping[str, Column], fps: float, robot_type: str | None, crops: Crops | None = None
) -> Contents:
    """A dataset without an episode."""
    videos = [key for key, column in columns.items() if column.dtype == "video"]
    info = Info(
        codebase_version=VERSION,
        robot_type=robot_type,
        fps=int(fps) if float(fps).is_integer() else fps,
        video_path=VIDEO if videos else None,
        features=dict(columns),
    )
    return Contents(
        info=msgspec.to_builtins(info),
        tasks=(),
        listed=episodes_schema(columns).empty_table(),
        list_place=_BEFORE_THE_FIRST,
        places=dict.fromkeys(["data", *videos], _BEFORE_THE_FIRST),
        stats={},
        notes=Notes(crops=crops),
    )


def existing(root: Path, info: Info) -> Contents:
    """What the dataset in `root` has. Raises what `READING_FAILS` names."""
    raw = msgspec.json.decode((root / INFO).read_bytes())
    begun = fresh(info.features, info.fps, info.robot_type)
    notes = read_notes(root).up_to(info.total_episodes)
    if not info.total_episodes:
        return replace(begun, info={**begun.info, **raw}, notes=notes)
    last = list_files(root)[-1]
    listed = pq.read_table(last, partitioning=None)
    row = listed.slice(listed.num_rows - 1).to_pylist()[0]
    if row["episode_index"] != info.total_episodes - 1:
        raise LookupError(
            f"meta/info.json counts {info.total_episodes}, the list ends with {row['episode_index']}"
        )
    places = {key: place_in(row, "data" if key == "data" else f"videos/{key}") for key in begun.places}
    return Contents(
        info=raw,
        tasks=tuple(read_tasks(root, info)),
        listed=listed,
        list_place=Place(*(int(part.split("-")[-1]) for part in (last.parent.name, last.stem))),
        places=places,
        stats=whole_stats(root, info),
        notes=notes,
    )


def whole_stats(root: Path, info: Info) -> dict[str, Stats]:
    """Statistics of the whole dataset, from `meta/stats.json` or, without it, from those of the episodes."""
    try:
        stored = msgspec.json.decode((root / STATS).read_bytes())
        return {
            key: {name: np.asarray(value, np.float64) for name, value in by_name.items()}
            for key, by_name in stored.items()
        }
    except FileNotFoundError:
        return stats_of_episodes(root, info)


def stats_of_episodes(root: Path, info: Info) -> dict[str, Stats]:
    """Statistics of the whole dataset from those in the list of its episodes."""
    rows = [row for path in list_files(root) for row in pq.read_table(path, partitioning=None).to_pylist()]
    return aggregated([stats_of(row, info.features) for row in rows])


def ordered(stats: Mapping[str, Stats], features: Iterable[str]) -> dict[str, Any]:
    """As `meta/stats.json` has them; `count` is a whole number."""
    return {
        key: {
            name: value.astype(np.int64).tolist() if name == "count" else value.tolist()
            for name, value in stats[key].items()
        }
        for key in features
        if key in stats
    }


def as_json(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=4)
