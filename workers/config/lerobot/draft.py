"""The configuration while it is being made, and what has become of each of LeRobot's keys."""

import copy
import enum
from typing import Any

import msgspec

from workers.config.dump import toml
from workers.config.keys import NAME, Key, schema_keys
from workers.config.lerobot import reading
from workers.config.lines import KeyPath, dotted


class Fate(enum.Enum):
    """What can become of a key, from all to nothing."""

    TAKEN = "taken as"
    DEFAULT = "default anyway"
    DERIVED = "derived here"
    DEAD = "dead in LeRobot"
    NO_COUNTERPART = "no counterpart yet"
    UNKNOWN = "unknown"


class Line(msgspec.Struct, frozen=True):
    """One of LeRobot's keys: its value, what became of it, and as which key, or why."""

    path: KeyPath
    value: Any
    fate: Fate
    text: str
    target: KeyPath = ()
    """The key here that got the value."""


class Draft:
    """`table` is the configuration so far, `source` LeRobot's, `lines` say what became of its keys."""

    def __init__(self, source: dict[str, Any], base: dict[str, Any]) -> None:
        self.source = source
        self.table = copy.deepcopy(base)
        self.lines: dict[KeyPath, Line] = {}
        self._leaves = dict(reading.leaves(source))

    def get(self, *path: str) -> Any:
        """LeRobot's value, None when there is none."""
        return reading.at(self.source, *path)

    def has(self, *path: str) -> bool:
        """Whether LeRobot's file has that key or table, be it null or empty."""
        return path[-1] in (reading.at(self.source, *path[:-1]) or {})

    def open(self) -> list[tuple[KeyPath, Any]]:
        """LeRobot's keys that nothing has been said of yet."""
        return [(path, value) for path, value in self._leaves.items() if path not in self.lines]

    def below(self, *path: str) -> list[tuple[KeyPath, Any]]:
        """The open ones among LeRobot's keys at or below `path`."""
        return [(key, value) for key, value in self.open() if key[: len(path)] == path]

    def say(self, path: KeyPath, fate: Fate, text: str, target: KeyPath = ()) -> None:
        """What became of LeRobot's key at `path`, if it has that key; the first word counts."""
        if path in self._leaves and path not in self.lines:
            self.lines[path] = Line(path, self._leaves[path], fate, text, target)

    def say_all(self, paths: list[tuple[KeyPath, Any]], fate: Fate, text: str) -> None:
        for path, _ in paths:
            self.say(path, fate, text)

    def take(self, path: KeyPath, target: KeyPath, note: str = "") -> None:
        """LeRobot's value at `path`, if it is there, becomes the value of `target`; null leaves that as it is."""
        if path not in self._leaves or path in self.lines:
            return
        value, note = self._leaves[path], note and f" ({note})"
        default = _key(target).default
        if value is None and default is None:
            self.drop(target)
            self.say(path, Fate.DEFAULT, f"{dotted(target)} is not set{note}", target)
        elif value is None:
            stays = reading.at(self.table, *target)
            as_is = "as without it" if stays is None else f"stays {toml(stays)}"
            self.say(path, Fate.DEFAULT, f"{dotted(target)} {as_is}{note}", target)
        else:
            self.put(target, value)
            same = default is not msgspec.NODEFAULT and msgspec.to_builtins(default) == _plain(value)
            text = f"{dotted(target)} = {toml(value)}" if same else dotted(target)
            self.say(path, Fate.DEFAULT if same else Fate.TAKEN, text + note, target)

    def put(self, target: KeyPath, value: Any) -> None:
        """Set a key of the configuration."""
        table = self.table
        for part in target[:-1]:
            if not isinstance(table.get(part), dict):
                table[part] = {}
            table = table[part]
        table[target[-1]] = value

    def drop(self, target: KeyPath) -> None:
        """Leave a key of the configuration to its default."""
        table = reading.at(self.table, *target[:-1])
        if isinstance(table, dict):
            table.pop(target[-1], None)


def _key(target: KeyPath) -> Key:
    for key in schema_keys():
        if len(key.path) == len(target) and all(
            mine in (NAME, part) for mine, part in zip(key.path, target, strict=True)
        ):
            return key
    raise KeyError(target)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value
