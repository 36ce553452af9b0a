"""The schema as a page to read: one table a section, one row a key."""

from workers.config.explain import without
from workers.config.keys import NAME, Key, schema_keys
from workers.config.lines import KeyPath

_HEAD = """\
# Configuration

Every key of a run's TOML file. This page is written from the schema by
`hilserl-tui config reference --output docs/configuration.md`; `hilserl-tui config explain KEY` says the same of one
key, and what LeRobot calls it.
"""


def text() -> str:
    """The page, in Markdown."""
    tables: dict[KeyPath, list[Key]] = {(): []}
    for key in schema_keys():
        if key.section is None:
            tables.setdefault(key.path[:-1], []).append(key)
    about = {(*key.path, NAME) if key.named else key.path: key.documentation for key in schema_keys()}
    parts = [_HEAD]
    for path, keys in tables.items():
        if path:
            parts.append(f"## [{'.'.join(path)}]\n\n{_escaped(about[path])}\n")
        rows = [
            f"| `{key.path[-1]}` | {_escaped(_facts(key))} | {_escaped(key.documentation)} |" for key in keys
        ]
        parts.append("\n".join(["| key | value | meaning |", "| --- | --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _facts(key: Key) -> str:
    if key.required:
        return f"{key.accepts}; {without(key)}"
    return f"{key.accepts}; " + ("optional" if key.default is None else f"{without(key)} if not given")


def _escaped(text: str) -> str:
    """`text` for a cell of a table; what is in backquotes stands as it is."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))
