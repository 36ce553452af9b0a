"""Reads a configuration file."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from workers.config.decode import Decoder, Faulty
from workers.config.errors import ConfigError, Problem
from workers.config.lines import KeyPath, dotted, key_lines, line_of
from workers.config.schema import Config
from workers.config.values import Section
from workers.config.versions import Upgrade, upgraded

S = TypeVar("S", bound=Section)
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Document(msgspec.Struct, frozen=True):
    """A configuration and the file it was read from, for what is found wrong with it later."""

    path: str
    text: str
    config: Config

    def refuse(self, problems: Iterable[tuple[KeyPath, str]]) -> None:
        """Raise ConfigError, with the lines of the file, when there are any problems.

        A problem is the path of a key from the root of the schema on, and the text for the operator.
        """
        found = tuple(problems)
        if found:
            raise ConfigError(self.path, _placed(self.text, upgraded(tomllib.loads(self.text)), found))


def load(path: str | Path) -> Config:
    """The configuration in the TOML file `path`.

    Raises ConfigError, whose text is for the operator, when the file cannot be read or is wrong.
    """
    return load_document(path).config


def load_document(path: str | Path) -> Document:
    """The configuration in the TOML file `path`, with its text. Raises ConfigError."""
    text = read_text(Path(path))
    return Document(str(path), text, parse(text, str(path)))


def parse(text: str, path: str = "configuration") -> Config:
    """The configuration in the TOML `text`; `path` is what errors call it. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, (_not_toml(text, str(error)),)) from None
    now = upgraded(table)
    if now.refused:
        raise ConfigError(path, _placed(text, now, now.refused))
    decoder = Decoder(Config)
    try:
        config: Config = decoder.document(now.table)
    except Faulty:
        found = [(fault.path, fault.text) for fault in decoder.faults]
        raise ConfigError(path, _placed(text, now, found)) from None
    return config


def parse_section(text: str, path: str, root: type[S]) -> S:
    """A section that has a file of its own, without versions; errors as of a configuration. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, (_not_toml(text, str(error)),)) from None
    decoder = Decoder(root)
    try:
        found: S = decoder.document(table)
    except Faulty:
        wrong = [(fault.path, fault.text) for fault in decoder.faults]
        raise ConfigError(path, _placed(text, Upgrade(table), wrong)) from None
    return found


def _placed(text: str, now: Upgrade, found: Iterable[tuple[KeyPath, str]]) -> tuple[Problem, ...]:
    """`found` with the lines and, in a file of an older version, the names of the file itself."""
    lines = key_lines(text)
    written = [(now.written(path), what) for path, what in found]
    return tuple(Problem(line_of(lines, path), dotted(path), what) for path, what in written)


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError when it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        text = "no such file" + _beside(path)
    except IsADirectoryError:
        text = "this is a folder; name the file in it"
    except UnicodeDecodeError as error:
        text = f"not UTF-8 text (byte {error.start}), as configurations are"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    raise ConfigError(str(path), (Problem(0, "", text),))


def _beside(path: Path) -> str:
    """The ready configurations the user may have meant: same folder first, then `configs`."""
    for folder in (path.parent, Path("configs")):
        there = {found.name for found in folder.glob(f"*{path.suffix or '.toml'}")}
        names = sorted(there - {"pyproject.toml"})  # a Python project's, no run's
        if names:
            close = difflib.get_close_matches(path.name, names, n=1)
            return f"; did you mean {folder / close[0]}?" if close else f"; {folder} has {', '.join(names)}"
    return ""


def _not_toml(text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    return Problem(line, "", f"not valid TOML: {_PLACE.sub('', message)}")
