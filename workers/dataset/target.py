"""Where a run's dataset goes, and whether it may: nothing of anybody else's is ever written over.

A dataset names the run it came from by an identity that is made with its first export and kept in both folders.
The log of a run only grows, so that a later export holds everything an earlier one did and may take its place.
"""

import os
import shutil
import uuid
from pathlib import Path

import msgspec

from workers.dataset.errors import DatasetRefused
from workers.dataset.layout import Column, differences, episodes_in_words, read_info

_ORIGIN_IN_DATASET = "meta/hilserl.json"
_ORIGIN_IN_RUN = "dataset.json"
_ROOT = ("dataset", "root")


class Origin(msgspec.Struct, frozen=True):
    """The run that a dataset came from."""

    run: str
    id: str


class Target:
    """The folder `root`, for the dataset of the run in `run_dir`."""

    def __init__(self, root: Path, run_dir: Path) -> None:
        self.root = root
        self._run_dir = run_dir
        self._aside = root.with_name(f".{root.name}.new")
        self._before = root.with_name(f".{root.name}.old")

    def check(self, columns: dict[str, Column], fps: float) -> None:
        """Raise DatasetRefused, which says how they differ, where another dataset lies in the way."""
        self._restore()
        info = read_info(self.root)
        if info is None:
            if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
                raise DatasetRefused(_ROOT, f"{self.root} is not empty, and no dataset; name another folder")
            return
        different = differences(columns, fps, info)
        if different:
            raise DatasetRefused(
                _ROOT,
                f"{self.root} holds a dataset with other features ({'; '.join(different)}); use the"
                " configuration it was recorded with, or name another folder",
            )
        origin = _read(self.root / _ORIGIN_IN_DATASET)
        if origin is None or origin != _read(self._run_dir / _ORIGIN_IN_RUN):
            of = f"of the run {origin.run!r}" if origin else "that was not recorded by this run"
            raise DatasetRefused(
                _ROOT,
                f"{self.root} holds a dataset {of} ({episodes_in_words(info.total_episodes)}): name another folder, or"
                " go on with that run by its run.name",
            )

    def begin(self) -> Path:
        """An empty folder beside `root` to write the dataset into."""
        self.abandon()
        self._aside.mkdir(parents=True)
        return self._aside

    def abandon(self) -> None:
        """Take away what was begun: it would be in the way on a full disk."""
        shutil.rmtree(self._aside, ignore_errors=True)

    def take_place(self) -> None:
        """What was written becomes the dataset; the one before it is kept until it is there."""
        origin = _read(self._run_dir / _ORIGIN_IN_RUN)
        if origin is None:
            origin = Origin(self._run_dir.name, uuid.uuid4().hex)
            (self._run_dir / _ORIGIN_IN_RUN).write_bytes(msgspec.json.encode(origin))
        (self._aside / _ORIGIN_IN_DATASET).write_bytes(msgspec.json.encode(origin))
        _sync(self._aside)
        if self.root.exists():
            self.root.rename(self._before)
        self._aside.rename(self.root)
        shutil.rmtree(self._before, ignore_errors=True)

    def _restore(self) -> None:
        """Bring back what a kill between the two renames left aside."""
        if self._before.exists() and not self.root.exists():
            self._before.rename(self.root)


def _read(path: Path) -> Origin | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Origin)
    except (OSError, msgspec.MsgspecError):
        return None


def _sync(folder: Path) -> None:
    """Make every file below `folder` survive a power cut."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
