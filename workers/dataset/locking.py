"""One writer for a dataset: a lock on its folder, which goes with the process that has it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from workers.dataset.errors import DatasetError


def lock(root: Path) -> int:
    """Lock the folder `root`; closing the descriptor that is returned lets others have it.

    Raises DatasetError where another process has it, OSError where there is no such folder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(os.fstat(descriptor), root.stat())
    except BlockingIOError:
        same = False
    except BaseException:
        os.close(descriptor)
        raise
    if not same:  # another process has it, or has just put another folder in its place
        os.close(descriptor)
        raise DatasetError(
            f"{root} is being written by another process: stop that recording or editing first, or name another folder"
        )
    return descriptor


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock. Raises like `lock`."""
    descriptor = lock(root)
    try:
        yield
    finally:
        os.close(descriptor)
