"""Set keys in a configuration's text; comments, order and everything else stay."""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from workers.config.errors import ConfigError, Problem
from workers.config.lines import KeyPath


def with_values(text: str, source: str, values: Mapping[KeyPath, Any]) -> str:
    """`text` with each key set, sections made where they are missing.

    Raises ConfigError when `text` is not TOML, or a section is a plain value there.
    """
    try:
        document = tomlkit.parse(text)
        made: list[Any] = []
        for path, value in values.items():
            _set(document, path, value, made)
        for table in made:
            table.add(tomlkit.nl())  # what comes after it stands apart
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError) as error:
        words = f"cannot be changed: {error}"
        raise ConfigError(source, (Problem(0, "", words),)) from error


def _set(document: Any, path: KeyPath, value: Any, made: list[Any]) -> None:
    """Set one key; the tables that had to be made for it, other than those that hold tables only, join `made`."""
    table = document
    for depth, name in enumerate(path[:-1]):
        if name not in table:
            table[name] = tomlkit.table(is_super_table=depth < len(path) - 2)
            if depth == len(path) - 2:
                made.append(table[name])
        table = table[name]
    table[path[-1]] = value
