"""Reads a configuration file."""

import difflib
import re
import tomllib
from pathlib import Path

from workers.config.decode import Decoder, Faulty
from workers.config.errors import ConfigError, Problem
from workers.config.lines import key_lines, line_of
from workers.config.schema import Config

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: str | Path) -> Config:
    """The configuration in the TOML file `path`.

    Raises ConfigError, whose text is for the operator, when the file cannot be read or is wrong.
    """
    return parse(_read(Path(path)), str(path))


def parse(text: str, path: str = "configuration") -> Config:
    """The configuration in the TOML `text`; `path` is what errors call it. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, (_not_toml(text, str(error)),)) from None
    decoder = Decoder(Config)
    try:
        config: Config = decoder.document(table)
    except Faulty:
        lines = key_lines(text)
        found = [
            Problem(line_of(lines, fault.path), _dotted(fault.path), fault.text) for fault in decoder.faults
        ]
        raise ConfigError(path, tuple(found)) from None
    return config


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        text = "no such file" + _beside(path)
    except IsADirectoryError:
        text = "this is a folder; name the TOML file in it"
    except UnicodeDecodeError as error:
        text = f"not UTF-8 text (byte {error.start}); TOML files are UTF-8"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    raise ConfigError(str(path), (Problem(0, "", text),))


def _beside(path: Path) -> str:
    """The ready configurations the user may have meant: same folder first, then `configs`."""
    for folder in (path.parent, Path("configs")):
        names = sorted(found.name for found in folder.glob("*.toml"))
        if names:
            close = difflib.get_close_matches(path.name, names, n=1)
            return f"; did you mean {folder / close[0]}?" if close else f"; {folder} has {', '.join(names)}"
    return ""


def _not_toml(text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    return Problem(line, "", f"not valid TOML: {_PLACE.sub('', message)}")


def _dotted(path: tuple[str, ...]) -> str:
    """`path` as TOML writes it, parts that hold dots in quotes."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)
