"""Files that appear whole or not at all, whenever the process or the power goes.

A file is written under a temporary name that no reader looks for, brought to the disk, and only then named.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

PART = ".hilserl-part"
"""Ends the name of a file that is being written; LeRobot looks for `*.parquet` and `*.mp4` only."""


def part_of(path: Path) -> Path:
    return path.with_name(path.name + PART)


def open_part(path: Path) -> BinaryIO:
    """The file that will be `path`, empty, with the folders it needs. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return part_of(path).open("wb")


def sync(file: BinaryIO) -> None:
    """Bring what was written to the disk. Raises OSError, where a full one may first be noticed."""
    file.flush()
    os.fsync(file.fileno())


def write_part(path: Path, content: bytes) -> None:
    """Write the file that will be `path`, to the disk. Raises OSError."""
    with open_part(path) as file:
        file.write(content)
        sync(file)


def take_names(paths: Iterable[Path]) -> None:
    """Give the parts of `paths` their names, in this order, which also survives a power cut. Raises OSError."""
    folders = []
    for path in paths:
        part_of(path).rename(path)
        if path.parent not in folders:
            folders.append(path.parent)
    for folder in folders:
        sync_folder(folder)


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file `path` at once. Raises OSError."""
    write_part(path, content)
    take_names([path])


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """Take files away that may be gone already, or in a place that cannot be written to."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
