"""The tables of a dataset as Arrow has them: its frames, its tasks and the list of its episodes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.layout import Column, Frames, Place
from workers.dataset.stats import QUANTILES, Stats

COMPRESSION = "snappy"
_INDEX_WITHOUT_NAME = "__index_level_0__"  # pandas' column for it; LeRobot's tasks had no name up to 0.4
_PLACES = ("chunk_index", "file_index")


def frames_schema(columns: Mapping[str, Column]) -> pa.Schema:
    """Arrow types with the notes by which the `datasets` library knows pictures; videos have no column."""
    import datasets  # half a second

    def feature(column: Column) -> Any:
        if column.dtype == "image":
            return datasets.Image()
        value = datasets.Value(column.dtype)
        return value if column.shape == (1,) else datasets.List(value, length=column.shape[0])

    in_table = {key: feature(column) for key, column in columns.items() if column.dtype != "video"}
    return datasets.Features(in_table).arrow_schema


def frames_table(schema: pa.Schema, columns: Mapping[str, Column], frames: Frames, first: int) -> pa.Table:
    """Rows as a table; the first of them is frame `first` of its episode. An image is a PNG file already."""
    arrays = [_array(columns[key], frames[key], first) for key in schema.names]
    return pa.table(dict(zip(schema.names, arrays, strict=True)), schema=schema)


def _array(column: Column, values: NDArray[Any], first: int) -> pa.Array:
    """The Arrow array of a column's rows [n, ...]."""
    if column.dtype == "image":
        names = [f"frame-{first + number:06d}.png" for number in range(len(values))]
        return pa.StructArray.from_arrays([pa.array(values, pa.binary()), pa.array(names)], ["bytes", "path"])
    flat = pa.array(values.ravel())
    return flat if column.shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, column.shape[0])


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """The tasks by number. Readers take the words from pandas' index, hence its description."""
    table = pa.table(
        {"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())}
    )
    described = [("task_index", "int64", "int64"), ("task", "unicode", "object")]
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
            for name, kind, numpy in described
        ],
    }
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def tasks_of(table: pa.Table) -> list[str]:
    """The words of the tasks, by number. Raises LookupError where the table has none."""
    words = next((name for name in ("task", _INDEX_WITHOUT_NAME) if name in table.column_names), None)
    if words is None:
        raise LookupError("it has no tasks")
    return [str(word) for word in table.sort_by("task_index")[words].to_pylist()]


# the list of episodes


def episodes_schema(columns: Mapping[str, Column]) -> pa.Schema:
    """The columns of `meta/episodes` of a new dataset."""
    whole, real = pa.int64(), pa.float64()
    fields = [("episode_index", whole), ("tasks", pa.list_(pa.string())), ("length", whole)]
    fields += [(f"data/{name}", whole) for name in _PLACES]
    fields += [("dataset_from_index", whole), ("dataset_to_index", whole)]
    for key in (key for key, column in columns.items() if column.dtype == "video"):
        fields += [(f"videos/{key}/{name}", whole) for name in _PLACES]
        fields += [(f"videos/{key}/{name}_timestamp", real) for name in ("from", "to")]
    for key, column in columns.items():
        of_value = pa.list_(pa.list_(pa.list_(real))) if column.is_picture else pa.list_(real)
        fields += [(f"stats/{key}/{name}", of_value) for name in ("min", "max", "mean", "std")]
        fields += [(f"stats/{key}/count", pa.list_(whole))]
        fields += [(f"stats/{key}/{name}", of_value) for name in QUANTILES]
    fields += [(f"meta/episodes/{name}", whole) for name in _PLACES]
    return pa.schema(fields)


def placed(prefix: str, place: Place) -> dict[str, int]:
    """The two columns that say in which file something is."""
    return dict(zip((f"{prefix}/{name}" for name in _PLACES), place, strict=True))


def place_in(row: Mapping[str, Any], prefix: str) -> Place:
    """Raises LookupError where the row does not say it."""
    chunk, file = (row[f"{prefix}/{name}"] for name in _PLACES)
    if chunk is None or file is None:
        raise LookupError(f"no place of {prefix}")
    return Place(int(chunk), int(file))


def flat(stats: Mapping[str, Stats]) -> dict[str, Any]:
    """Statistics as columns of the list of episodes."""
    return {
        f"stats/{key}/{name}": value.tolist()
        for key, by_name in stats.items()
        for name, value in by_name.items()
    }


def stats_of(row: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Stats]:
    """The statistics in a row of the list of episodes, of those columns that have any."""
    names = ("min", "max", "mean", "std", "count", *QUANTILES)
    found: dict[str, Stats] = {}
    for key in keys:
        values = {name: row.get(f"stats/{key}/{name}") for name in names}
        known = {name: np.asarray(value, np.float64) for name, value in values.items() if value is not None}
        if {"min", "max", "mean", "std", "count"} <= known.keys():
            found[key] = {**known, "count": known["count"].astype(np.int64)}
    return found


def with_row(table: pa.Table, row: Mapping[str, Any]) -> pa.Table:
    """The list of episodes with one more; what it has no column for is left out."""
    arrays = [_as(pa.array([row.get(field.name)]), field) for field in table.schema]
    return pa.concat_tables([table, pa.Table.from_arrays(arrays, schema=table.schema)]).combine_chunks()


def _as(array: pa.Array, field: pa.Field) -> pa.Array:
    """Another recorder may have chosen whole numbers, or a narrower type, for a statistic."""
    return array.cast(field.type, safe=False)


def table_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=COMPRESSION)
    return bytes(sink.getvalue().to_pybytes())
