"""Rewrites a file of an older schema version as one of the current version, comments and layout kept."""

import contextlib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from workers.config.errors import ConfigError, Problem
from workers.config.lines import key_lines
from workers.config.load import parse
from workers.config.versions import CURRENT, KEY, STEPS, Move, holder


def migrated(text: str, path: str = "configuration") -> str:
    """The TOML `text` with the keys of the current schema version; the same text when it has that version already.

    Raises ConfigError when the configuration is wrong, or written in a way that this cannot rewrite.
    """
    config = parse(text, path)
    document = tomlkit.parse(text)
    version = int(document[KEY])
    if version == CURRENT:
        return text
    moves = [move for number in range(version, CURRENT) for move in STEPS[number].moves]
    moves = [move for move in moves if holder(document, move.old) is not None]
    new = None
    with contextlib.suppress(TOMLKitError, ConfigError, LookupError, TypeError, ValueError):
        new = _rewritten(text, version, moves)
        new = new if parse(new) == config else None
    if new is None:
        by_hand = "; ".join(f"{'.'.join(move.old)} is {'.'.join(move.new)}" for move in moves)
        raise ConfigError(
            path, (Problem(0, "", f"its layout cannot be rewritten; do it by hand: {by_hand}"),)
        )
    return new


def _rewritten(text: str, version: int, moves: list[Move]) -> str:
    lines = key_lines(text)
    renamed = [move for move in moves if move.old[:-1] == move.new[:-1]]
    for move in renamed:
        text = _renamed(text, lines[move.old], move)
    document = tomlkit.parse(text)
    for move in moves:
        if move not in renamed:
            value = _table(document, move.old[:-1]).pop(move.old[-1])
            _table(document, move.new[:-1])[move.new[-1]] = value
    for number in range(version, CURRENT):
        for path, value in STEPS[number].former_defaults:
            _table(document, path[:-1]).setdefault(path[-1], value)
    document[KEY] = CURRENT
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _renamed(text: str, line: int, move: Move) -> str:
    """`text` with a key that keeps its table renamed where it stands: tomlkit would put it last."""
    lines = text.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(move.old[-1], move.new[-1], 1)
    return "".join(lines)


def _table(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if part not in document:
            document[part] = tomlkit.table()
        document = document[part]
    return document
