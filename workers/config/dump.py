"""Writes a configuration as TOML that explains itself: every key, with its documentation as a comment."""

import textwrap
from collections.abc import Iterator
from typing import Any

from workers.config.keys import documentation
from workers.config.lines import KeyPath, dotted, quoted
from workers.config.schema import Config
from workers.config.values import Section

WIDTH = 110


def dump(config: Config, introduction: str = "") -> str:
    """TOML of `config` that `parse` reads back as the same; `introduction` becomes comments on top."""
    lines = [comment for line in introduction.splitlines() for comment in _comment(line)]
    lines += ["", *_table(config, ())] if lines else _table(config, ())
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return repr(value)
        case tuple() | list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            inside = ", ".join(f"{dotted((key,))} = {toml(one)}" for key, one in value.items())
            return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"no TOML for {value!r}")


def _table(section: Section, at: KeyPath, told: bool = True) -> Iterator[str]:
    """The lines of a table below its header: its values first, then the tables in it; with comments if `told`."""
    tables = []
    for name, text in documentation(type(section)).items():
        value, path = getattr(section, name), (*at, name)
        comment = list(_comment(text)) if told else []
        if isinstance(value, Section) or _holds_sections(value):
            tables.append((path, comment, value))
            continue
        yield from comment
        yield f"# ({name} is not set)" if value is None else f"{name} = {toml(value)}"
    for path, comment, value in tables:
        for number, (inner, one) in enumerate(_parts(path, value)):
            yield from ("", *(comment if number == 0 else ()), f"[{dotted(inner)}]")
            yield from _table(one, inner, told and number == 0)


def _parts(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, Section]]:
    if isinstance(value, Section):
        yield path, value
    else:
        for name, one in value.items():
            yield (*path, name), one


def _holds_sections(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(one, Section) for one in value.values())


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False) or [""]:
        yield f"# {line}".rstrip()
