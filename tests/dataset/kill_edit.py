"""Edits copies of a dataset, each killed some steps on the disk later than the one before, until one is done.

Run: python -m tests.dataset.kill_edit DATASET FOLDER delete|undo|merge|compact one_step|two_steps STEPS

Copy after copy is in FOLDER/N/set. Children are forked, so that the imports are paid for once.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import datasets  # noqa: F401  # half a second, which each child would take

from workers.dataset import edit, versions

STEPS = {"os.rename", "os.link", "os.mkdir", "os.rmdir", "os.remove"}
KILLED = 9


def main() -> None:
    dataset, folder, change, swap, steps = sys.argv[1:]
    if swap == "two_steps":
        versions.exchange = lambda one, other: False  # as on a file system that cannot
    moment, code = 1 - int(steps), KILLED
    while code == KILLED:
        moment += int(steps)
        copy = Path(folder) / str(moment)
        shutil.copytree(Path(dataset).parent, copy)
        child = os.fork()
        if not child:
            sys.addaudithook(kill_after(moment, str(copy)))
            change_it(copy, change)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(code)


def change_it(folder: Path, change: str) -> None:
    if change == "delete":
        edit.delete(folder / "set", [0])
    elif change == "undo":
        edit.undo(folder / "set")
    elif change == "compact":
        edit.compact(folder / "set")
    else:
        edit.merge(folder / "set", [folder / "other"])


def kill_after(moment: int, within: str) -> Any:
    """An audit hook: it sees every step just before it is made."""
    left = moment

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in STEPS) and within in str(arguments[0]):
            left -= 1
            if not left:
                os._exit(KILLED)

    return hook


if __name__ == "__main__":
    main()
