"""An edited dataset, written into an empty folder: what stays as it was is linked, not copied, and no picture is
encoded again.

The frames of an episode are rewritten where its number, its first frame or a label changes. A video stays as it
is: the list of episodes says where in it an episode begins, which for a trimmed one is later than before.
"""

import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from workers.dataset import layout
from workers.dataset.contents import EPISODES_PER_LIST, as_json, ordered, whole_stats
from workers.dataset.durable import sync_folder, write_whole
from workers.dataset.layout import EPISODES, INFO, STATS, TASKS, VIDEO, Place
from workers.dataset.notes import NOTES
from workers.dataset.pieces import DATA, Piece, Progress, Source, merged_notes
from workers.dataset.restats import stats_of_changed
from workers.dataset.rewrite import Numbering, is_unchanged, rewrite
from workers.dataset.stats import aggregated
from workers.dataset.tables import flat, placed, stats_of, table_bytes, tasks_table

_BEFORE_THE_FIRST = Place(0, -1)
_NOT_TAKEN = {"data", "videos", "images", ".cache"}  # of the folder; `.cache` says what a download left there
_WRITTEN = {INFO, STATS, TASKS, NOTES}


def rebuild(aside: Path, pieces: Sequence[Piece], base: Source, progress: Progress) -> None:
    """Write the dataset of `pieces` into the empty folder `aside`, to the disk.

    What is not of single episodes, such as the features, comes from `base`. Raises what READING_FAILS names, and
    DatasetError.
    """
    sources = list(dict.fromkeys([base, *(piece.source for piece in pieces)]))
    tasks = list(dict.fromkeys(task for source in sources for task in source.tasks))
    data, runs = _numbered_runs(pieces, base)
    numberings = _numberings(pieces, tasks)
    at = 0
    for place, run in runs:
        path = aside / layout.DATA.format(chunk_index=place.chunk, file_index=place.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        of_run = numberings[at : at + len(run)]
        if is_unchanged(run, of_run):
            link(run[0].path(DATA), path)
        else:
            rewrite(path, run, of_run, base.info.fps)
        at += len(run)
        progress(at, len(pieces))
    videos = {key: _linked_videos(aside, key, pieces, base) for key in base.videos}
    changed = stats_of_changed(aside, runs, numberings, base.info.features)
    rows = [
        _row(piece, numbering, data[number], {key: places[number] for key, places in videos.items()})
        | flat(changed[number])
        for number, (piece, numbering) in enumerate(zip(pieces, numberings, strict=True))
    ]
    write_rest(aside, rows, base, tasks, pieces)


def write_rest(
    aside: Path, rows: Sequence[dict[str, Any]], base: Source, tasks: Sequence[str], pieces: Sequence[Piece]
) -> None:
    """Write what is neither frames nor videos of the dataset of `pieces`, whose list of episodes is `rows`.

    Raises like `rebuild`.
    """
    _take_rest(aside, base)
    _write_list(aside, rows, base)
    _write_meta(aside, rows, base, tasks)
    if notes := merged_notes(pieces, dict.fromkeys([base, *(piece.source for piece in pieces)])):
        write_whole(aside / NOTES, msgspec.json.format(msgspec.json.encode(notes), indent=1))
    for folder in (aside, *(path for path in aside.rglob("*") if path.is_dir())):
        sync_folder(folder)


def _numbered_runs(
    pieces: Sequence[Piece], base: Source
) -> tuple[list[Place], list[tuple[Place, list[Piece]]]]:
    """The file of each piece's frames, and the pieces of each file: those that shared one still do."""
    place, places, runs = _BEFORE_THE_FIRST, [], []
    for _, group in itertools.groupby(pieces, lambda piece: (id(piece.source), piece.place(DATA))):
        run, place = list(group), place.next(base.info.chunks_size)
        places += [place] * len(run)
        runs.append((place, run))
    return places, runs


def _numberings(pieces: Sequence[Piece], tasks: Sequence[str]) -> list[Numbering]:
    numberings, first = [], 0
    for episode, piece in enumerate(pieces):
        of_tasks = tuple(tasks.index(task) for task in piece.source.tasks)
        numberings.append(Numbering(episode, first, of_tasks))
        first += piece.length
    return numberings


def _linked_videos(aside: Path, key: str, pieces: Iterable[Piece], base: Source) -> list[Place]:
    """Bring over the videos of a camera that an episode is in; the file of each piece."""
    found: dict[Path, Place] = {}
    place, places = _BEFORE_THE_FIRST, []
    for piece in pieces:
        before = piece.path(key)
        if before not in found:
            found[before] = place = place.next(base.info.chunks_size)
            path = aside / VIDEO.format(video_key=key, chunk_index=place.chunk, file_index=place.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            link(before, path)
        places.append(found[before])
    return places


def _row(piece: Piece, numbering: Numbering, data: Place, videos: dict[str, Place]) -> dict[str, Any]:
    """The piece in the list of episodes; statistics are still those it had."""
    fps = piece.source.info.fps
    row = {
        **piece.row,
        "episode_index": numbering.episode,
        "length": piece.length,
        "dataset_from_index": numbering.first,
        "dataset_to_index": numbering.first + piece.length,
        **placed("data", data),
    }
    for key, place in videos.items():
        row |= placed(f"videos/{key}", place)
        if not piece.is_whole:
            start_s = piece.row[f"videos/{key}/from_timestamp"] + piece.start / fps
            row[f"videos/{key}/from_timestamp"] = start_s
            row[f"videos/{key}/to_timestamp"] = start_s + piece.length / fps
    return row


def _write_list(aside: Path, rows: Sequence[dict[str, Any]], base: Source) -> None:
    place = _BEFORE_THE_FIRST
    for start in range(0, len(rows), EPISODES_PER_LIST):
        place = place.next(base.info.chunks_size)
        part = [{**row, **placed("meta/episodes", place)} for row in rows[start : start + EPISODES_PER_LIST]]
        arrays = [_array(field, [row.get(field.name) for row in part]) for field in base.list_schema]
        table = pa.Table.from_arrays(arrays, schema=base.list_schema)
        name = EPISODES.format(chunk_index=place.chunk, file_index=place.file)
        write_whole(aside / name, table_bytes(table))


def _array(field: pa.Field, values: list[Any]) -> pa.Array:
    """Another recorder may have chosen whole numbers, or a narrower type, for a statistic."""
    return pa.array(values).cast(field.type, safe=False)


def _write_meta(aside: Path, rows: Sequence[dict[str, Any]], base: Source, tasks: Sequence[str]) -> None:
    of_episodes = aggregated([stats_of(row, base.info.features) for row in rows])
    stats = whole_stats(base.root, base.info) | of_episodes  # those that no episode has stay
    write_whole(aside / STATS, as_json(ordered(stats, base.info.features)))
    write_whole(aside / TASKS, table_bytes(tasks_table(tasks)))
    counted = {
        "total_episodes": len(rows),
        "total_frames": rows[-1]["dataset_to_index"],
        "total_tasks": len(tasks),
        "splits": {"train": f"0:{len(rows)}"},
        "data_path": layout.DATA,
        "video_path": VIDEO if base.videos else base.info.video_path,
    }
    write_whole(aside / INFO, as_json(base.raw_info | counted))


def _take_rest(aside: Path, base: Source) -> None:
    """Copy what is neither frames nor videos, such as crop parameters or a card."""
    for path in _files(base.root):
        name = path.relative_to(base.root)
        if str(name) not in _WRITTEN and name.parts[:2] != ("meta", "episodes"):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, aside / name)


def _files(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.name not in _NOT_TAKEN:
            yield from [path] if path.is_file() else (inner for inner in path.rglob("*") if inner.is_file())


def link(path: Path, to: Path) -> None:
    """The same file under another name, or, where the file system cannot, a copy."""
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)
        with to.open("rb") as file:
            os.fsync(file.fileno())
