"""Reads a JSON configuration of LeRobot: values by dotted path, with their lines.

`//` comments are taken out first: the blocks of LeRobot's guide have them where one is to fill in.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from workers.config.errors import ConfigError, Problem
from workers.config.lines import KeyPath

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*")
_TOKEN = re.compile(rf"({_STRING})(\s*:)?|[{{}}\[\]]")


def read(text: str, path: str) -> dict[str, Any]:
    """The object in `text`. Raises ConfigError when there is none."""
    try:
        tree = json.loads(_COMMENT.sub(r"\1", text), object_pairs_hook=_each_once)
    except _Twice as twice:
        raise ConfigError(path, (Problem(0, str(twice), "this key is given twice in one object"),)) from None
    except json.JSONDecodeError as error:
        text = f"not JSON: {error.msg}; a LeRobot configuration is one object in braces"
        raise ConfigError(path, (Problem(error.lineno, "", text),)) from None
    except RecursionError:
        raise ConfigError(path, (Problem(0, "", "nested too deeply for a configuration"),)) from None
    if not isinstance(tree, dict):
        raise ConfigError(path, (Problem(1, "", "not a LeRobot configuration: not an object in braces"),))
    return tree


def leaves(tree: dict[str, Any], at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value with its path, in the order of the file; lists and empty objects are values."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*at, name))
        else:
            yield (*at, name), value


def lines(text: str) -> dict[KeyPath, int]:
    """The line of every key of a valid JSON `text`, counted from 1."""
    text = _COMMENT.sub(r"\1", text)
    found: dict[KeyPath, int] = {}
    around: list[str | None] = []
    key: str | None = None
    for token in _TOKEN.finditer(text):
        if token[2]:
            key = str(json.loads(token[1]))
            found[(*filter(None, around), key)] = text.count("\n", 0, token.start()) + 1
        elif token[0] in "{[":
            around.append(key if token[0] == "{" else None)
            key = None
        elif token[0] in "}]":
            around.pop()
    return found


def at(tree: Any, *path: str) -> Any:
    """The value at `path`, None when there is none."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


class _Twice(Exception):
    """A key that is given twice."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return made
