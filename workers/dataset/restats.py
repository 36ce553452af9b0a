"""Statistics of the episodes that an edit changes, of those columns that it changes; the others keep theirs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from workers.dataset import layout
from workers.dataset.layout import Column, Place
from workers.dataset.pieces import Piece
from workers.dataset.reader import values_of
from workers.dataset.rewrite import Numbering
from workers.dataset.stats import PictureLevels, Stats, of_values


def stats_of_changed(
    aside: Path,
    runs: Sequence[tuple[Place, list[Piece]]],
    numberings: Sequence[Numbering],
    features: Mapping[str, Column],
) -> list[dict[str, Stats]]:
    """By piece, the statistics of its changed columns, read from the new files in `aside`."""
    found: list[dict[str, Stats]] = []
    for place, run in runs:
        of_run = numberings[len(found) : len(found) + len(run)]
        changed = [_changed(*one, features) for one in zip(run, of_run, strict=True)]
        columns = [key for key in features if any(key in keys for keys in changed)]
        numbers = [key for key in columns if not features[key].is_picture]
        path = aside / layout.DATA.format(chunk_index=place.chunk, file_index=place.file)
        table = pq.read_table(path, columns=numbers, partitioning=None) if numbers else None
        start = 0
        for piece, keys in zip(run, changed, strict=True):
            stats = {}
            for key in keys:
                if features[key].is_picture:
                    stats[key] = _of_pictures(piece, key)
                elif table is not None:
                    rows = table[key].slice(start, piece.length)
                    stats[key] = of_values(values_of(rows, features[key]))
            found.append(stats)
            start += piece.length
    return found


def _changed(piece: Piece, numbering: Numbering, features: Mapping[str, Column]) -> set[str]:
    """The columns that do not have the values any more that they had."""
    known = {key for key in features if piece.row.get(f"stats/{key}/mean") is not None}
    if not piece.is_whole:
        return known
    before = piece.source.dataset.episodes[piece.episode]
    changed = {label.column for label in piece.labels}
    changed |= {"episode_index"} if before.index != numbering.episode else set()
    changed |= {"index"} if before.first != numbering.first else set()
    changed |= set() if numbering.keeps_tasks else {"task_index"}
    return changed & known


def _of_pictures(piece: Piece, key: str) -> Stats:
    levels = PictureLevels()
    for picture in piece.source.dataset.pictures(piece.episode, key, piece.start, piece.stop):
        levels.add(picture)
    return levels.stats()
