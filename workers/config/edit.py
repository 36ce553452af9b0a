"""Set keys in a configuration's text; comments, order and everything else stay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from workers.config.errors import ConfigError, Problem
from workers.config.lines import KeyPath


def with_values(text: str, source: str, values: Mapping[KeyPath, Any]) -> str:
    """`text` with each key set, sections made where they are missing.

    Raises ConfigError when `text` is not TOML, or a section is a plain value there.
    """
    try:
        document = tomlkit.parse(text)
        made: list[Table] = []
        for path, value in values.items():
            _set(document, path, value, made)
        for table in made:
            table.add(tomlkit.nl())  # before the section that follows
        changed = tomlkit.dumps(document)
        return changed.rstrip("\n") + "\n" if made and changed.endswith("\n\n") else changed
    except (TOMLKitError, TypeError) as error:
        words = f"cannot be changed: {error}"
        raise ConfigError(source, (Problem(0, "", words),)) from error


def replace_text(path: Path, text: str) -> None:
    """Put `text` in the place of a configuration file at once, or leave that as it is. Raises ConfigError."""
    aside = path.with_name(path.name + ".tmp")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.chmod(path.stat().st_mode)
        aside.replace(path)
    except OSError as error:
        words = f"cannot be written: {error.strerror}"
        raise ConfigError(str(path), (Problem(0, "", words),)) from error


def _set(document: Any, path: KeyPath, value: Any, made: list[Table]) -> None:
    table = document
    for depth, name in enumerate(path[:-1]):
        if name not in table:
            table[name] = _section(table, holds_sections=depth < len(path) - 2)
            if isinstance(table[name], Table) and depth == len(path) - 2:
                made.append(table[name])
        table = table[name]
    table[path[-1]] = value


def _section(parent: Any, holds_sections: bool) -> Table | InlineTable:
    """A new section: with a header of its own, or between braces where `parent` is."""
    return (
        tomlkit.inline_table()
        if isinstance(parent, InlineTable)
        else tomlkit.table(is_super_table=holds_sections)
    )
