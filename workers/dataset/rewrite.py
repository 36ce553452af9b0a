"""The frames of a dataset's file written again, with other numbers, fewer of them or new labels; pictures as they
are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.durable import open_part, sync, take_names
from workers.dataset.errors import DatasetError
from workers.dataset.pieces import DATA, Label, Piece
from workers.dataset.tables import COMPRESSION

_ROWS_AT_ONCE, _PICTURES_AT_ONCE = 65536, 32  # memory stays small


@dataclass(frozen=True, slots=True)
class Numbering:
    """Where a piece comes in the edited dataset."""

    episode: int
    first: int  # frames before it
    tasks: tuple[int, ...]  # the new number of each of its source's tasks

    @property
    def keeps_tasks(self) -> bool:
        return self.tasks == tuple(range(len(self.tasks)))


def is_unchanged(run: Sequence[Piece], numberings: Sequence[Numbering]) -> bool:
    """Whether the file of `run`, pieces that are all in one, can stay as it is."""
    for piece, numbering in zip(run, numberings, strict=True):
        before = piece.source.dataset.episodes[piece.episode]
        same_numbers = (before.index, before.first) == (numbering.episode, numbering.first)
        if not (same_numbers and piece.is_whole and not piece.labels and numbering.keeps_tasks):
            return False
    return bool(pq.read_metadata(run[0].path(DATA)).num_rows == sum(piece.length for piece in run))


def rewrite(path: Path, run: Sequence[Piece], numberings: Sequence[Numbering], fps: float) -> None:
    """Write the frames of `run`, pieces that are all in one file, into the file `path`.

    Raises OSError, pa.ArrowException, and DatasetError where the file does not have all their frames.
    """
    written = 0
    with pq.ParquetFile(run[0].path(DATA)) as before, open_part(path) as file:
        schema = before.schema_arrow
        rows = _PICTURES_AT_ONCE if any(map(pa.types.is_struct, schema.types)) else _ROWS_AT_ONCE
        with pq.ParquetWriter(file, schema, compression=COMPRESSION) as out:
            for group in range(before.num_row_groups):
                for batch in before.iter_batches(rows, row_groups=[group]):
                    for piece, numbering in zip(run, numberings, strict=True):
                        table = _renumbered(pa.Table.from_batches([batch], schema), piece, numbering, fps)
                        if table.num_rows:
                            out.write_table(table)
                            written += table.num_rows
        sync(file)
    wanted = sum(piece.length for piece in run)
    if written != wanted:
        raise DatasetError(
            f"{run[0].path(DATA)} has {written} of the {wanted} frames that are listed: nothing was changed."
            " `hilserl-worker dataset check` says what is wrong with it."
        )
    take_names([path])


def _renumbered(table: pa.Table, piece: Piece, numbering: Numbering, fps: float) -> pa.Table:
    """The rows of the piece, under its new numbers and with its new labels."""
    episodes, frames = (table[key].to_numpy() for key in ("episode_index", "frame_index"))
    inside = (episodes == piece.episode) & (frames >= piece.start) & (frames < piece.stop)
    if not inside.any():
        return table.slice(0, 0)
    table, old = table.filter(pa.array(inside)), frames[inside]
    new = old - piece.start
    table = _with(table, "episode_index", np.full(len(new), numbering.episode))
    table = _with(table, "index", numbering.first + new)
    if piece.start:
        table = _with(table, "frame_index", new)
        table = _with(table, "timestamp", new / fps)
    if not numbering.keeps_tasks:
        table = _with(table, "task_index", np.array(numbering.tasks)[table["task_index"].to_numpy()])
    for label in piece.labels:
        table = _labelled(table, label, old)
    return table


def _labelled(table: pa.Table, label: Label, frames: NDArray[Any]) -> pa.Table:
    values = np.array(table[label.column].to_numpy())
    values[(frames >= label.start) & (frames < label.stop)] = label.value
    return _with(table, label.column, values)


def _with(table: pa.Table, key: str, values: NDArray[Any]) -> pa.Table:
    number = table.schema.get_field_index(key)
    field = table.schema.field(number)
    return table.set_column(number, field, pa.array(values).cast(field.type, safe=False))
