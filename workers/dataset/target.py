"""Whether what is recorded may go into a folder: nothing of anybody else's is ever written over."""

from pathlib import Path

from workers.dataset.errors import DatasetRefused
from workers.dataset.layout import Column, Info, read_info

_ROOT = ("dataset", "root")


def check_target(root: Path, columns: dict[str, Column], fps: float) -> Info | None:
    """The dataset in `root` that can be continued with these columns; None where the folder is free.

    Raises DatasetRefused, which says how they differ, and DatasetError for one that cannot be read.
    """
    info = read_info(root)
    if info is None:
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise DatasetRefused(_ROOT, f"{root} is not empty, and no dataset; name another folder")
        return None
    different = differences(columns, fps, info)
    if different:
        raise DatasetRefused(
            _ROOT,
            f"{root} holds a dataset with other features ({'; '.join(different)}); use the"
            " configuration it was recorded with, or name another folder",
        )
    return info


def differences(columns: dict[str, Column], fps: float, info: Info) -> list[str]:
    """One readable line per column in which an existing dataset differs from what would be written."""
    lines = [] if info.fps == fps else [f"fps: {fps:g} here, {info.fps:g} there"]
    for key in dict.fromkeys((*columns, *info.features)):
        here, there = columns.get(key), info.features.get(key)
        if here != there:
            lines.append(f"{key}: {here or 'nothing'} here, {there or 'nothing'} there")
    return lines
