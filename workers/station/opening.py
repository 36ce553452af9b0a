"""Opening a run: its configuration with what the command line changed, its directory, its lock, its disk.

Every "no" is a StationRefused, before anything was started.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from workers.config import Config, ConfigError, Document, RunConfig, load_document
from workers.config.expected import expected
from workers.config.lines import KeyPath
from workers.dataset.errors import DatasetError
from workers.dataset.recorded_mark import RecordedMark, Taken
from workers.model.places import StationLock, announce, lock_path, read_lock, socket_path, write_lock
from workers.model.wire import PROTOCOL_VERSION
from workers.runtime.beginning import Beginning

LEAST_DISK_BYTES = 1_000_000_000  # about 17 minutes of two raw 128x128 cameras at 10 Hz
LOCK_WITHIN_S = 0.5  # somebody who only looks whether the lock is held has it for a moment


class StationRefused(Exception):
    """The run cannot be opened; the text says what, why and what to do."""


def configured(
    path: Path, read: Callable[[Path], Document] = load_document, **run: Any
) -> tuple[Document, Config]:
    """The file, as `read` reads it, and its configuration with the keys of [run] that the command line gives."""
    try:
        document = read(path)
    except ConfigError as error:
        raise StationRefused(str(error)) from error
    config = document.config
    given = {key: _checked(key, value) for key, value in run.items() if value is not None}
    return document, msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, **given))


def refuse(document: Document, problems: Iterable[tuple[KeyPath, str]]) -> None:
    """Refuse the run, with the lines of its file, where there are problems. Raises StationRefused."""
    try:
        document.refuse(problems)
    except ConfigError as error:
        raise StationRefused(str(error)) from error


def _checked(key: str, value: Any) -> Any:
    """A value of the command line that stands for run.`key`, held to the same rule as in the file."""
    (field,) = (field for field in msgspec.structs.fields(RunConfig) if field.name == key)
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        wanted = expected(msgspec.inspect.type_info(field.type))
        raise StationRefused(f"--{key} {value}: it must be {wanted}") from error


def beginning_of(resume: bool, fresh: bool) -> Beginning:
    """What `--resume` and `--fresh` ask for. Raises StationRefused when both are given."""
    if resume and fresh:
        raise StationRefused(
            "--resume and --fresh exclude each other: go on, or begin anew; give one of them"
        )
    return Beginning.RESUME if resume else Beginning.FRESH if fresh else Beginning.AS_LEFT


def check_beginning(config: Config, beginning: Beginning) -> None:
    """Refuse `--resume` where there is nothing to go on from; whether it is sound, the learner sees."""
    if beginning is Beginning.RESUME and not any((config.run_dir / "checkpoints").glob("step-*")):
        raise StationRefused(
            f"--resume: the run {config.run.name} has no checkpoint in {config.run_dir / 'checkpoints'}. "
            "Look at the name and the folder you start in, or leave --resume out to begin."
        )


def check_mode(config: Config) -> None:
    """Refuse to record where something else was logged, and to train where a dataset was recorded.

    Such a log is cut behind what is in the dataset, and what it has left would be taken for the run's own.
    """
    recorded = RecordedMark(config.run_dir)
    try:
        is_recording = recorded.read() is not None
        if config.mode == "record" and not is_recording:
            if (config.run_dir / "log").exists():
                raise StationRefused(
                    f"the run {config.run.name} has a log of its own in {config.run_dir}: a recording needs a run of"
                    " another name. Give it one with --name, or as run.name."
                )
            recorded.write(Taken())
    except DatasetError as error:
        raise StationRefused(str(error)) from error
    if config.mode is None and is_recording:
        raise StationRefused(
            f"the run {config.run.name} recorded a dataset: training needs a run of another name. Give it one with"
            " --name or as run.name; the dataset is named in [dataset]."
        )


def make_run_dir(config: Config) -> None:
    """For its owner alone when it is new. Raises StationRefused when it cannot be made."""
    try:
        config.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StationRefused(
            f"the run directory {config.run_dir} cannot be made: {error.strerror}. "
            "Set run.directory to a place you may write to."
        ) from error


@contextmanager
def private_files() -> Iterator[None]:
    """What this process and those it starts write meanwhile is their owner's alone: pictures of a room, say."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def check_disk(run_dir: Path) -> None:
    """Raises StationRefused when there is too little room."""
    free = shutil.disk_usage(run_dir).free
    if free < LEAST_DISK_BYTES:
        raise StationRefused(
            f"only {free / 1e9:.2f} GB are free for {run_dir}; a run needs at least "
            f"{LEAST_DISK_BYTES / 1e9:.0f} GB for its transition log. "
            "Free some space or set run.directory to another disk."
        )


class RunLock:
    """Exclusive use of a run directory; who `serves` consoles also leaves the files by which they find it."""

    def __init__(self, config: Config, path: Path, serves: bool = True) -> None:
        self._run_dir = config.run_dir
        self._serves = serves
        socket = str(socket_path(config.run_dir)) if serves else ""
        self._lock = StationLock(os.getpid(), PROTOCOL_VERSION, socket, str(path.resolve()), config.run.name)
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> "RunLock":
        try:
            file = _exclusive(lock_path(self._run_dir))
        except BlockingIOError as error:
            raise StationRefused(self._taken(read_lock(self._run_dir))) from error
        write_lock(self._run_dir, self._lock)
        if self._serves:
            pointer = announce(self._run_dir)
            self._undo.append(lambda: pointer.unlink(missing_ok=True))
        self._undo += [lambda: lock_path(self._run_dir).unlink(missing_ok=True), file.close]
        return self

    def __exit__(self, *_: object) -> None:
        for step in self._undo:
            step()

    def _taken(self, other: StationLock | None) -> str:
        run = self._lock.run
        pid = f" (pid {other.pid})" if other else ""
        if other is not None and not other.socket:
            return (
                f"a learner{pid} serves the run {run} in {self._run_dir} already. End it with `kill {other.pid}`, "
                "or give this one another name or folder."
            )
        return (
            f"the run {run} is already served by another station{pid}. "
            f"Attach with `hilserl-tui attach {run}`, end it with "
            f"`hilserl-tui down {run}`, or give this run another name."
        )


def _exclusive(path: Path) -> BinaryIO:
    """The lock file, locked. Raises BlockingIOError when somebody keeps it."""
    until_s = time.monotonic() + LOCK_WITHIN_S
    while True:
        file = open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
            continue
        if path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
            return file
        file.close()  # the station that just ended took the file away with it
