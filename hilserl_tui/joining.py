"""Joining a learner: the line from its screen, given to `hilserl-worker join`, and what to set in the configuration.

The token goes to the worker by its standard input: never into an argument list, a log or a file of ours.
"""

import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from workers.config import ConfigError
from workers.config.load import read_text

WITHIN_S = 30.0
SECTION = ("policy", "actor_learner_config")


class NoJoin(Exception):
    """It did not come to a join; the text is for the person."""


@dataclass(frozen=True, slots=True)
class JoinLine:
    """What a person carries from the learner to this machine."""

    address: str
    pin: str
    token: str = field(repr=False)

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def parse(text: str) -> JoinLine:
    """`HOST:PORT --pin P --token T`, with or without `hilserl-tui join` before it. Raises NoJoin."""
    try:
        words = shlex.split(text)
        if "join" in words:
            words = words[words.index("join") + 1 :]
        address, *rest = words
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        line = JoinLine(address, options.pop("--pin"), options.pop("--token"))
        whole = not options and bool(line.host) and 0 < line.port < 65536
    except (ValueError, KeyError):
        whole = False
    if not whole:
        raise NoJoin(
            "this is not a join line; one reads `hilserl-tui join HOST:PORT --pin PIN --token TOKEN`.\n"
            "Copy all of it from the learner's screen"
        )
    return line


def join(line: JoinLine) -> str:
    """Have the worker join; what it says. Blocks for seconds. Raises NoJoin with the worker's own words."""
    command = [sys.executable, "-m", "workers.cli", "join", line.address, "--pin", line.pin]
    try:
        done = subprocess.run(
            command, input=line.token + "\n", capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NoJoin(f"{line.address} did not answer within {WITHIN_S:.0f} s") from error
    except OSError as error:
        raise NoJoin(f"hilserl-worker could not be started: {error}") from error
    if done.returncode:
        raise NoJoin(done.stderr.strip() or f"the join ended with exit code {done.returncode}")
    return done.stdout.strip()


def toml_lines(line: JoinLine) -> str:
    """What a configuration needs so that its run learns there."""
    return f'[{".".join(SECTION)}]\nlearner_host = "{line.host}"\nlearner_port = {line.port}'


def write_into(path: Path, line: JoinLine) -> None:
    """Set learner_host and learner_port in a configuration; comments and everything else stay.

    Raises NoJoin when the file cannot be read, changed or written.
    """
    from workers.config.edit import with_values

    values: dict[tuple[str, ...], str | int] = {
        (*SECTION, "learner_host"): line.host,
        (*SECTION, "learner_port"): line.port,
    }
    aside = path.with_name(path.name + ".tmp")
    try:
        text = with_values(read_text(path), str(path), values)
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except ConfigError as error:
        raise NoJoin(str(error)) from error
    except OSError as error:
        raise NoJoin(f"{path} cannot be written: {error.strerror}") from error
