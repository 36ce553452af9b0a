"""Earlier versions of a dataset, beside it: `lift` has them in `.lift.undo`, the newest with the highest number.

A new version is made in a folder of its own there and changes places with the dataset in one step, so that whoever
looks, and whatever is killed when, there is the old dataset or the new one. Files that both have are the same on
the disk (hard links): an earlier version costs what differs.
"""

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from workers.dataset.durable import sync_folder, write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.layout import INFO

KEPT = 5
_MAKING, _UNDOING = "making", "undoing"
_AT_CWD, _EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


class Change(msgspec.Struct, frozen=True):
    """What made the next version of an earlier one, in words, and that version's `meta/info.json`."""

    words: str
    after: str


class Versions:
    """The versions of the dataset in the folder `root`. Methods raise OSError."""

    def __init__(self, root: Path) -> None:
        by_name = root.name not in ("", "..") and not root.is_symlink()
        self.root = root if by_name else root.resolve()
        self.folder = self.root.with_name(f".{self.root.name}.undo")

    def settle(self) -> None:
        """Finish what a kill interrupted: the swap is done, or what was being made is taken away."""
        for path in self._unfinished():
            number, what, to_replace = path.name.split(".")
            swapped = to_replace == str(path.stat().st_ino)  # it is the dataset that was to be replaced
            if what == _UNDOING:
                self._move(path, self._undone if swapped else self.folder / number)
            elif swapped:
                path.rename(self.folder / number)
        if not self.root.exists() and (numbers := self.numbers()):
            (self.folder / numbers[-1]).rename(self.root)  # where two renames were needed, and one was done
        for path in self._unfinished():
            shutil.rmtree(path)

    def numbers(self) -> list[str]:
        """The names of the earlier versions, oldest first."""
        return sorted(path.name for path in self._inside() if path.is_dir() and path.name.isdecimal())

    @contextlib.contextmanager
    def next(self) -> Iterator[Path]:
        """An empty folder for a version that may take the dataset's place; it goes when something is raised."""
        numbers = self.numbers()
        number = int(numbers[-1]) + 1 if numbers else 1
        aside = self._named(f"{number:04d}", _MAKING)
        aside.mkdir(parents=True)
        try:
            yield aside
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()  # where it is empty
            raise

    def take_place(self, aside: Path, words: str) -> Path:
        """The version made in `aside`, with everything on the disk, becomes the dataset; where the old one now is."""
        before = self.folder / aside.name.split(".")[0]
        after = (aside / INFO).read_text()
        write_whole(before.with_suffix(".json"), msgspec.json.encode(Change(words, after)))
        if exchange(self.root, aside):
            aside.rename(before)
        else:
            self.root.rename(before)
            aside.rename(self.root)
        self._sync()
        for number in self.numbers()[:-KEPT]:
            self._forget(number)
        return before

    def undo(self) -> tuple[str, Path]:
        """The newest earlier version becomes the dataset again; what was undone, in words, and where that is now.

        It is kept until the next undo. Raises DatasetError where there is none, or
        where the dataset has changed since, by recording for example: that is not thrown away.
        """
        numbers = self.numbers()
        if not numbers:
            raise DatasetError(f"nothing was changed in {self.root} that could be undone")
        earlier = self.folder / numbers[-1]
        change = msgspec.json.decode(earlier.with_suffix(".json").read_bytes(), type=Change)
        if (self.root / INFO).read_text() != change.after:
            raise DatasetError(
                f"{self.root} has changed since ({change.words}), and undoing would lose that. The version before is in"
                f" {earlier}: use it as a dataset of its own, or merge what you need."
            )
        aside = self._named(numbers[-1], _UNDOING)
        earlier.rename(aside)
        if exchange(self.root, aside):
            self._move(aside, self._undone)
        else:
            self._move(self.root, self._undone)
            aside.rename(self.root)
        self._sync()
        earlier.with_suffix(".json").unlink()
        return change.words, self._undone

    @property
    def _undone(self) -> Path:
        return self.folder / "undone"

    def _named(self, number: str, what: str) -> Path:
        """A folder that is to change places with the dataset; its name tells `settle` whether it has."""
        return self.folder / f"{number}.{what}.{self.root.stat().st_ino}"

    @staticmethod
    def _move(path: Path, to: Path) -> None:
        """Rename a folder over another one."""
        if to.exists():
            shutil.rmtree(to)
        path.rename(to)

    def _sync(self) -> None:
        sync_folder(self.folder)
        sync_folder(self.root.parent)

    def _forget(self, number: str) -> None:
        shutil.rmtree(self.folder / number, ignore_errors=True)
        self.folder.joinpath(f"{number}.json").unlink(missing_ok=True)

    def _inside(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _unfinished(self) -> list[Path]:
        return [path for path in self._inside() if path.is_dir() and path.name.count(".") == 2]


def exchange(one: Path, other: Path) -> bool:
    """Two folders change places in one step; False where the file system cannot do that. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(one))
