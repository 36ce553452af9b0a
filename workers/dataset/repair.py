"""repair: a dataset without the faults that can be mended, in the place of the one that had them.

The mended one is written beside it, with the same videos, and they change places where it is better; the old one is
kept whole for an `undo` (`workers.dataset.versions`).
"""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workers.dataset.check import check
from workers.dataset.contents import Contents, fresh
from workers.dataset.durable import open_part, sync, write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.findings import Finding
from workers.dataset.layout import DATA, VERSION, Info, read_info
from workers.dataset.listing import read_tasks
from workers.dataset.locking import locked
from workers.dataset.notes import NOTES, Notes, read_notes
from workers.dataset.pictures import picture_of, video_frames
from workers.dataset.reader import READING_FAILS, values_of
from workers.dataset.recover import recover
from workers.dataset.salvage import Salvage, Salvaged, salvage
from workers.dataset.sinks import Automatic
from workers.dataset.stats import PictureLevels, Stats, of_values
from workers.dataset.tables import COMPRESSION, stats_of
from workers.dataset.versions import Versions

_WRITTEN_ANEW = ("data", "videos", "meta")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done to a dataset."""

    done: tuple[str, ...]  # a sentence each; empty when there was nothing to mend
    backup: Path | None  # the dataset as it was; None where nothing was changed


def repair(root: Path) -> Repaired:
    """Mend what can be mended of the dataset in `root`.

    Raises DatasetError, with the dataset as it was, where there is none, it is of an old version or in use, or
    nothing that could be read would be left.
    """
    info = read_info(root)
    if info is None:
        raise DatasetError(
            f"there is no dataset in {root}: it has no meta/info.json to go by. Fetch it again."
        )
    if info.codebase_version != VERSION:
        raise DatasetError(
            f"{root} is of version {info.codebase_version}, and only {VERSION} is mended here: convert it first, with"
            " LeRobot's convert_dataset_v21_to_v30"
        )
    try:
        with locked(root):
            return _repair(root)
    except READING_FAILS as error:
        raise DatasetError(f"{root} could not be mended: {error}. It is as it was.") from error


def _repair(root: Path) -> Repaired:
    before = [finding for finding in check(root, pictures=False) if finding.mendable]
    if not before:
        return Repaired((), None)
    recover(root)
    left = [finding for finding in check(root, pictures=False) if finding.mendable]
    finished = ["what a killed recording had left was finished or cleared away"] * (len(left) < len(before))
    if not left:
        return Repaired(tuple(finished), None)
    info = read_info(root)
    assert info is not None, "it was there"
    found = salvage(root, info)
    if not found.episodes:
        raise DatasetError(f"nothing of {root} can be mended: no episode is whole. It is as it was.")
    versions = Versions(root)
    versions.settle()
    with versions.next() as new:
        _write(root, new, info, found)
        if worse := [finding for finding in check(new, pictures=False) if finding.mendable]:
            raise DatasetError(f"{root} could not be mended: {worse[0]}. It is as it was.")
        backup = versions.take_place(new, "repaired")
    return Repaired((*finished, *_told(info, found, left)), backup)


def _told(info: Info, found: Salvage, mended: list[Finding]) -> list[str]:
    told = [f"mended: {finding}".removesuffix(" (can be repaired)") for finding in mended]
    if found.fps != info.fps:
        told.append(f"the frame rate is {found.fps:g}, as the times and videos have it, not {info.fps:g}")
    numbers = [episode.number for episode in found.episodes]
    if numbers != list(range(len(numbers))):
        told.append(
            f"episodes are numbered anew: {', '.join(map(str, numbers))} are now 0 to {len(numbers) - 1}"
        )
    return [*told, *found.lost]


# the mended dataset


def _write(root: Path, new: Path, info: Info, found: Salvage) -> None:
    shutil.copytree(
        root,
        new,
        ignore=lambda folder, names: _WRITTEN_ANEW if Path(folder) == root else (),
        dirs_exist_ok=True,
    )
    for path in sorted((root / "meta").iterdir()):
        if path.is_file():  # all that is not written anew: crops, notes of others
            (new / "meta").mkdir(exist_ok=True)
            shutil.copy2(path, new / "meta" / path.name)
    for name in ("info.json", "stats.json", "tasks.parquet", "hilserl.json"):
        (new / "meta" / name).unlink(missing_ok=True)
    _link_videos(root, new, info, found)
    tasks, notes = read_tasks(root, info), read_notes(root)
    contents = fresh(info.features, found.fps, info.robot_type)
    kept = {"chunks_size": info.chunks_size, "video_path": info.video_path}
    contents = replace(contents, info={**contents.info, **kept})
    origins = {number: origin for origin, number in notes.origins.items() if number is not None}
    for episode in found.episodes:
        contents = _write_episode(new, info, contents, episode, tasks, origins.get(episode.number, ""))
    gone = dict.fromkeys(notes.origins, None)
    notes = Notes({**gone, **contents.notes.origins}, contents.notes.saving, crops=contents.notes.crops)
    write_whole(new / NOTES, notes.encoded())


def _link_videos(root: Path, new: Path, info: Info, found: Salvage) -> None:
    """The same files under two names where the disk can; they are never written to."""
    spans = {(key, place) for episode in found.episodes for key, (place, _) in episode.spans.items()}
    for key, place in spans:
        name = str(info.video_path).format(video_key=key, chunk_index=place.chunk, file_index=place.file)
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(root / name, new / name)
        except OSError:
            shutil.copy2(root / name, new / name)


def _write_episode(
    new: Path, info: Info, contents: Contents, episode: Salvaged, tasks: list[str], origin: str
) -> Contents:
    table = episode.table()
    words = tasks[int(table["task_index"][0].as_py())]
    automatic = Automatic(
        contents.episodes, contents.frames, contents.info["fps"], contents.task_index(words)
    )
    for key, values in automatic.rows(0, episode.length).items():
        place = table.schema.get_field_index(key)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    place = contents.next_places()["data"]
    name = DATA.format(chunk_index=place.chunk, file_index=place.file)
    with open_part(new / name) as file:
        pq.write_table(table, file, compression=COMPRESSION)
        sync(file)
    stats = _stats(new, info, contents.info["fps"], episode, table)
    contents = contents.with_episode(episode.length, words, stats, origin, [name], episode.spans)
    contents.prepare(new)
    contents.commit(new)
    return contents


def _stats(new: Path, info: Info, fps: float, episode: Salvaged, table: pa.Table) -> dict[str, Stats]:
    """Those of the list for pictures, where it has them; all others anew."""
    known = stats_of(episode.row, info.cameras) if episode.row is not None else {}
    stats: dict[str, Stats] = {}
    for key, column in info.features.items():
        if column.dtype == "string":
            continue
        if column.is_picture:
            stats[key] = known[key] if key in known else _of_pictures(new, info, fps, episode, key, table)
        else:
            stats[key] = of_values(values_of(table[key], column))
    return stats


def _of_pictures(new: Path, info: Info, fps: float, episode: Salvaged, key: str, table: pa.Table) -> Stats:
    levels = PictureLevels()
    if key in episode.spans:
        place, start_s = episode.spans[key]
        name = str(info.video_path).format(video_key=key, chunk_index=place.chunk, file_index=place.file)
        for picture in video_frames(new / name, round(start_s * fps), episode.length, fps):
            levels.add(picture)
    else:
        for row in table[key].to_pylist():
            levels.add(picture_of(row["bytes"]))
    return levels.stats()
