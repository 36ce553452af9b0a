"""Versions of the schema: an older file is read as the newest would be written, and told by its own names.

Each step says which keys moved and which defaults changed. Reading a file applies the steps to the parsed table and
remembers where each moved key stood, so that an error names the key and the line that the user has before them.
"""

import copy
from typing import Any

import msgspec

from workers.config.lines import KeyPath

CURRENT = 2
KEY = "schema_version"


class Move(msgspec.Struct, frozen=True):
    """A key, or a table with all that is in it, that has another place since."""

    old: KeyPath
    new: KeyPath


class Step(msgspec.Struct, frozen=True):
    """From one version to the next."""

    moves: tuple[Move, ...]
    former_defaults: tuple[tuple[KeyPath, Any], ...]
    """What an absent key used to mean, where it means something else now."""


STEPS = {
    1: Step(
        moves=(
            Move(("env", "cameras"), ("env", "robot", "cameras")),
            Move(("env", "robot", "max_lead_deg"), ("env", "robot", "max_relative_target")),
            Move(("teleop",), ("env", "teleop")),
        ),
        former_defaults=((("env", "processor", "image_preprocessing", "resize_size"), [128, 128]),),
    )
}
"""By the version a step leads away from."""
OLDEST = min(STEPS)


class Upgrade(msgspec.Struct, frozen=True):
    """A parsed document as the newest version has it."""

    table: dict[str, Any]
    moves: tuple[Move, ...] = ()
    """Moves that were made, in order."""
    refused: tuple[tuple[KeyPath, str], ...] = ()
    """What keeps the document from being read at all: key path and text."""

    def written(self, path: KeyPath) -> KeyPath:
        """The path under which the file itself has the key that is now at `path`."""
        for move in reversed(self.moves):
            if path[: len(move.new)] == move.new:
                path = move.old + path[len(move.new) :]
        return path


def upgraded(table: dict[str, Any]) -> Upgrade:
    """`table`, which stays as it is, as the newest version has it."""
    version = table.get(KEY)
    if isinstance(version, bool) or not isinstance(version, int) or version == CURRENT:
        return Upgrade(table)
    if version not in STEPS:
        return Upgrade(table, refused=(((KEY,), _unread(version)),))
    table = copy.deepcopy(table)
    moves: list[Move] = []
    refused: list[tuple[KeyPath, str]] = []
    for number in range(version, CURRENT):
        for move in STEPS[number].moves:
            if holder(table, move.old) is None:
                continue
            if holder(table, move.new) is not None:
                refused.append(
                    (move.new, f"a key of {KEY} {number + 1}; this file has {'.'.join(move.old)} too")
                )
            elif _moved(table, move):
                moves.append(move)
        for path, value in STEPS[number].former_defaults:
            _default(table, path, value)
    table[KEY] = CURRENT
    return Upgrade(table, tuple(moves), tuple(refused))


def holder(table: Any, path: KeyPath) -> Any:
    """The table in which the last part of `path` is a key; None when there is none."""
    for part in path[:-1]:
        table = table.get(part) if isinstance(table, dict) else None
    return table if isinstance(table, dict) and path[-1] in table else None


def _moved(table: dict[str, Any], move: Move) -> bool:
    """Whether it could be moved: not where a value stands in the way of a table, which is told by itself."""
    there: Any = table
    for part in move.new[:-1]:
        there = there.setdefault(part, {})
        if not isinstance(there, dict):
            return False
    there[move.new[-1]] = holder(table, move.old).pop(move.old[-1])
    return True


def _default(table: Any, path: KeyPath, value: Any) -> None:
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return
    table.setdefault(path[-1], value)


def _unread(version: int) -> str:
    read = " and ".join(str(number) for number in (*STEPS, CURRENT))
    more = "; a newer release of hilserl-tui reads it" if version > CURRENT else ""
    return f"{version} found, but this release reads {read}{more}"
