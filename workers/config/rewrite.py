"""Rewriting a user's file: whole or not at all, with the file as it was kept beside it."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.config.edit import with_values
from workers.config.errors import ConfigError, Problem
from workers.config.lines import KeyPath
from workers.config.load import Document, parse, read_text


def with_new_values(document: Document, values: Mapping[KeyPath, Any]) -> str:
    """The document's text with each key set, comments kept. Raises ConfigError when that would be wrong."""
    text = with_values(document.text, document.path, values)
    parse(text, document.path)
    return text


def difference(before: str, after: str) -> tuple[str, ...]:
    """The lines that differ, `-` as they are, `+` as they would be, each place with its line number."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    shown = []
    for line in list(lines)[2:]:  # after the names of the files
        shown.append(f"line {_place(line)}" if line.startswith("@@") else line)
    return tuple(shown)


def _place(head: str) -> int:
    """Line of the old file at which a change begins; `@@ -3,0 +4 @@` inserts after line 3."""
    start, _, count = head.split()[1][1:].partition(",")
    return int(start) + (count == "0")


def rewrite(path: Path, before: str, after: str) -> Path:
    """Put `after` in the place of `before`; where the file as it was is kept.

    At every moment the file is whole: as it was, or as it shall be. Raises ConfigError, and the file stays as it
    is, when it is not `before` any more or cannot be written.
    """
    if read_text(path) != before:
        raise _refused(
            path, "has changed since it was read; nothing was written. Start again with the new file"
        )
    target = path.resolve()  # a link stays a link
    mode = target.stat().st_mode
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise _refused(path, f"is read-only; nothing was written. Allow it with: chmod u+w {path}")
    kept, aside = free_name(target.with_name(target.name + ".before")), target.with_name(target.name + ".new")
    try:
        _write_durably(kept, before, mode)
        _write_durably(aside, after, mode)
        aside.replace(target)
        _sync(target.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        words = f"cannot be rewritten: {error.strerror}; nothing was changed"
        raise _refused(path, words) from error
    return path.with_name(kept.name) if path.parent.resolve() == kept.parent else kept


def free_name(path: Path) -> Path:
    """`path`, or with a number behind it when that is taken."""
    taken = 0
    free = path
    while free.exists():
        taken += 1
        free = path.with_name(f"{path.name}.{taken}")
    return free


def _write_durably(path: Path, text: str, mode: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), mode & 0o777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(path: Path, words: str) -> ConfigError:
    return ConfigError(str(path), (Problem(0, "", words),))
