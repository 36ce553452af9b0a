"""Doctor: does this machine have what a run needs? Each check says what, why and what to do.

What only heavy libraries can tell (GPU, rendering, devices, memory, link) is found out by `hilserl-worker doctor`,
a process of its own, which says a finding a line.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hilserl_tui.terminal import terminal_checks
from workers.model.check import Check

PYTHONS = ((3, 11), (3, 13))
LEAST_FREE_GB = 10.0
SHAPES = {True: "●", None: "◐", False: "✗"}
_decoder = msgspec.json.Decoder(Check)


def checks(folder: Path, config: Path | None) -> Iterator[Check]:
    """All checks, quick ones first; `folder` is where runs will be kept. For a command line: it blocks."""
    yield python()
    yield disk(folder)
    yield from terminal_checks()
    yield from _by_worker(worker_command(folder, config))


def python() -> Check:
    found = f"{platform.python_version()} ({sys.executable})"
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    do = f"install Python {high}, or let uv fetch one"
    return Check("python", ok, found, f"written for {low} to {high}", do)


def disk(folder: Path) -> Check:
    """Room where runs are kept."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    why = "the transition log of an afternoon with two cameras takes several GB"
    writable = os.access(place, os.W_OK)
    found = f"{free_gb:.0f} GB free in {place}" + ("" if writable else ", not writable")
    ok = writable and free_gb >= LEAST_FREE_GB
    return Check("disk", ok, found, why, "free some, or set run.directory elsewhere")


def worker_command(folder: Path, config: Path | None) -> list[str]:
    """The process that looks at the rest."""
    command = [sys.executable, "-m", "workers.cli", "doctor", "--directory", str(folder)]
    return command if config is None else [*command, "--config", str(config)]


def parsed(line: bytes) -> Check | None:
    """A finding of that process; None for anything else a library may print."""
    try:
        return _decoder.decode(line)
    except msgspec.DecodeError:
        return None


def ended_badly(code: int, errors: str) -> Check:
    """What stands for the findings of a process that did not come to its end."""
    last = (errors.strip().splitlines() or [f"exit code {code}"])[-1]
    do = "if the configuration is named, correct it; otherwise `hilserl-worker doctor` says more"
    return Check("examination", False, last, "devices, memory, GPU and link could not be looked at", do)


def _by_worker(command: list[str]) -> Iterator[Check]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if (check := parsed(line)) is not None:
                yield check
        errors = process.stderr.read().decode(errors="replace")
        if code := process.wait():
            yield ended_badly(code, errors)
