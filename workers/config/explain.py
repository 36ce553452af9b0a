"""Says what a key is: what it accepts, what it is without being given, what it does, and where it belongs."""

import difflib
import textwrap
from typing import Any

import msgspec

from workers.config.dump import toml
from workers.config.keys import NAME, Key, schema_keys
from workers.config.lerobot import names
from workers.config.lines import KeyPath

WIDTH = 100
LEAST_PART = 4  # characters of a part of a name by which a key is found


class NoSuchKey(Exception):
    """No key is called so; the text is for the operator."""


def explain(name: str) -> str:
    """The explanation of a key, given by its dotted path, by the end of it, or as LeRobot calls it.

    Where several keys fit, all are told. Raises NoSuchKey with what was probably meant.
    """
    wanted = tuple(part.strip("\"' ") for part in name.strip("[] ").split("."))
    exact = [key for key in schema_keys() if _fits(key, wanted)]
    ends = [key for key in schema_keys() if key not in exact and _ends(key, wanted)]
    if exact:
        also = f"\n\nSee also {', '.join(shown(key.path) for key in ends)}." if ends else ""
        return _whole(exact[0]) + also
    if ends:
        head = f'"{name}" stands in {len(ends)} places:\n\n' if len(ends) > 1 else ""
        return head + "\n\n".join(map(_whole, ends))
    return _of_lerobot(name, wanted)


def shown(path: KeyPath) -> str:
    """A key's path as people write it."""
    return ".".join(path)


def _fits(key: Key, wanted: KeyPath) -> bool:
    """Whether a key is meant by its whole path; any name stands for the user's own, as of a camera."""
    return _same(key.path, wanted) or (key.named and _same(key.path, wanted[:-1]))


def _ends(key: Key, wanted: KeyPath) -> bool:
    end = key.path[-len(wanted) :]
    return end[0] != NAME and _same(end, wanted)


def _same(path: KeyPath, wanted: KeyPath) -> bool:
    return len(path) == len(wanted) and all(
        part in (mine, NAME) for part, mine in zip(path, wanted, strict=True)
    )


def _whole(key: Key) -> str:
    lines = [shown(key.path), *_wrapped(key.documentation, "  ")]
    if key.section is None:
        lines += [f"  accepts   {key.accepts}", f"  without   {without(key)}"]
        lines += [f"  LeRobot   {', '.join(theirs)}" for theirs in [_lerobot_names(key)] if theirs]
    else:
        lines.append(f"  a table; {_presence(key)}. Its keys:")
        lines += _inside(key)
    return "\n".join(lines)


def _inside(table: Key) -> list[str]:
    """The keys of a table, each with the first sentence of its documentation."""
    start = (*table.path, NAME) if table.named else table.path
    keys = [key for key in schema_keys() if key.path[:-1] == start]
    names_here = [shown(key.path[len(table.path) :]) for key in keys]
    width = max(map(len, names_here))
    lines = []
    for name, key in zip(names_here, keys, strict=True):
        first = key.documentation.partition(". ")[0].rstrip(".")
        lines.append(f"    {name:<{width}}  {textwrap.shorten(first, WIDTH - width - 7, placeholder=' ...')}")
    return lines


def without(key: Key) -> str:
    """What a key is when it is not given."""
    if key.required:
        return (
            "it must be given" if len(key.path) == 1 or NAME not in key.path else "it must be given for each"
        )
    return "not set" if key.default is None else toml(msgspec.to_builtins(key.default))


def _presence(key: Key) -> str:
    if key.required:
        return "it must be there"
    return "without it, nothing of the kind" if key.default is None else "all of it may be left out"


def _lerobot_names(key: Key) -> list[str]:
    here = shown(key.path)
    theirs = [name for name, mine in names.TAKEN.items() if mine == here]
    return ["the same" if name == here else name for name in sorted(theirs, key=lambda name: name != here)]


def _of_lerobot(name: str, wanted: KeyPath) -> str:
    """What a key of LeRobot's is here. Raises NoSuchKey when LeRobot has no such key either."""
    taken = names.found(names.TAKEN, wanted)
    if taken is not None:
        here = explain(taken[0])
        return f"{name} is LeRobot's name for {taken[0]}:\n\n{here}"
    for table, what in (
        (names.DERIVED, "LeRobot has it; here it is derived"),
        (names.DEAD, "LeRobot has it, and does not use it"),
        (names.NO_COUNTERPART, "LeRobot has it; there is no counterpart here yet"),
    ):
        found = names.found(table, wanted)
        if found is not None:
            return f"{name}\n  {what}: {found[0]}."
    raise NoSuchKey(_nothing(name))


def _nothing(name: str) -> str:
    paths = [shown(key.path) for key in schema_keys()]
    leaves = {path.rpartition(".")[2]: path for path in paths}
    close: list[Any] = difflib.get_close_matches(name, paths, n=3, cutoff=0.75)
    close += [
        leaves[leaf] for leaf in difflib.get_close_matches(name.rpartition(".")[2], leaves, n=3, cutoff=0.7)
    ]
    close += [path for path in paths if len(name) >= LEAST_PART and name in path]
    meant = ", ".join(list(dict.fromkeys(close))[:3])
    sections = ", ".join(path for path in paths if "." not in path)
    return f"no key is called {name}; " + (f"did you mean {meant}?" if meant else f"there are {sections}")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
