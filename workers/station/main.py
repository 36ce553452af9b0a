"""Open a run: configuration, run directory, lock, disk; then the station; then its progress on standard output."""

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from workers.config import Config, ConfigError, Document, RunConfig, load_document
from workers.config.expected import expected
from workers.config.lines import KeyPath
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.jobs import finished, prepared
from workers.model.places import StationLock, announce, lock_path, read_lock, socket_path, write_lock
from workers.model.wire import PROTOCOL_VERSION
from workers.station.check import looked_over
from workers.station.preflight import Seen
from workers.station.progress import ProgressLines

LEAST_DISK_BYTES = 1_000_000_000  # about 17 minutes of two raw 128x128 cameras at 10 Hz
LOCK_WITHIN_S = 0.5  # somebody who only looks whether the lock is held has it for a moment
log = logging.getLogger(__name__)


class StationRefused(Exception):
    """The run cannot be opened; the text says what, why and what to do."""


async def run_station(
    path: Path,
    *,
    operator: str | None = None,
    until_success: float | None = None,
    name: str | None = None,
    seed: int | None = None,
    serve: bool = False,
) -> int:
    """Run a station to its end; returns the process exit code.

    0: the recipe succeeded or was stopped by hand; 1: something broke, or the wanted success was not reached.
    Raises StationRefused when nothing could be started.
    """
    document, config = _configure(path, operator, name, seed)
    run_dir = config.run_dir
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StationRefused(
            f"the run directory {run_dir} cannot be made: {error.strerror}. "
            "Set run.directory to a place you may write to."
        ) from error
    with _Lock(run_dir, config, path):
        _check_disk(run_dir)
        seen = _seen(document, config)
        config = _prepared(document, config)
        from workers.station.station import Station  # the workers' modules, needed from here on

        station = Station(config, path.resolve(), until_success, wait_for_start=serve, seen=seen)
        station.listen(ProgressLines(time.monotonic(), station.state).on_event)
        ended = await station.run()
        written = config.mode != "record" or _written(config)
    wanted_more = until_success is not None and not ended.succeeded
    return 1 if wanted_more or ended.failed or not written else 0


def _configure(
    path: Path, operator: str | None, name: str | None, seed: int | None
) -> tuple[Document, Config]:
    """The file, and its configuration with what the command line changes."""
    try:
        document = load_document(path)
    except ConfigError as error:
        raise StationRefused(str(error)) from error
    config = document.config
    if operator not in (None, "scripted", "person"):
        raise StationRefused(f"--operator {operator}: unknown; use 'scripted' or 'person'")
    if operator == "scripted" and not config.simulated:
        raise StationRefused(
            '--operator scripted works on the simulator only; set env.robot.type = "so101_sim"'
        )
    run = config.run
    if name is not None:
        run = msgspec.structs.replace(run, name=_checked("name", name))
    if seed is not None:
        run = msgspec.structs.replace(run, seed=_checked("seed", seed))
    chair = config.operator
    if operator is not None:
        chair = msgspec.structs.replace(chair, scripted=operator == "scripted")
    return document, msgspec.structs.replace(config, run=run, operator=chair)


def _seen(document: Document, config: Config) -> Seen | None:
    """What a look at the run's Gymnasium environment finds, None for an arm, whose kinematics are looked at."""
    try:
        return looked_over(document, config)
    except ConfigError as error:
        raise StationRefused(str(error)) from error


def _prepared(document: Document, config: Config) -> Config:
    """The configuration as its `mode` wants it, with regard to the dataset that is recorded or replayed."""
    problems = []
    try:
        config = prepared(config)
    except DatasetRefused as refused:
        problems.append((refused.path, refused.text))
    except DatasetError as error:
        raise StationRefused(str(error)) from error
    _refuse(document, problems)
    return config


def _refuse(document: Document, problems: Iterable[tuple[KeyPath, str]]) -> None:
    """Refuse the run, with the lines of its file, where there are problems."""
    try:
        document.refuse(problems)
    except ConfigError as error:
        raise StationRefused(str(error)) from error


def _written(config: Config) -> bool:
    """Write the dataset of a recording, however the run ended; False when that failed."""
    try:
        log.info("dataset: %s", finished(config))
    except DatasetError as error:
        log.error("%s", error)
        return False
    return True


def _checked(key: str, value: Any) -> Any:
    """A value of the command line that stands for run.`key`, held to the same rule as in the file."""
    (field,) = (field for field in msgspec.structs.fields(RunConfig) if field.name == key)
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        wanted = expected(msgspec.inspect.type_info(field.type))
        raise StationRefused(f"--{key} {value}: it must be {wanted}") from error


class _Lock:
    """Exclusive use of a run directory, and the files by which consoles find this station."""

    def __init__(self, run_dir: Path, config: Config, path: Path) -> None:
        self._run_dir = run_dir
        self._lock = StationLock(
            os.getpid(), PROTOCOL_VERSION, str(socket_path(run_dir)), str(path.resolve()), config.run.name
        )

    def __enter__(self) -> "_Lock":
        try:
            self._file = _exclusive(lock_path(self._run_dir))
        except BlockingIOError as error:
            other = read_lock(self._run_dir)
            pid = f" (pid {other.pid})" if other else ""
            raise StationRefused(
                f"the run {self._lock.run} is already served by another station{pid}. "
                f"Attach with `hilserl-tui attach {self._lock.run}`, end it with "
                f"`hilserl-tui down {self._lock.run}`, or give this run another name."
            ) from error
        write_lock(self._run_dir, self._lock)
        self._pointer = announce(self._run_dir)
        return self

    def __exit__(self, *_: object) -> None:
        self._pointer.unlink(missing_ok=True)
        lock_path(self._run_dir).unlink(missing_ok=True)
        self._file.close()


def _exclusive(path: Path) -> BinaryIO:
    """The lock file, locked. Raises BlockingIOError when somebody keeps it."""
    until_s = time.monotonic() + LOCK_WITHIN_S
    while True:
        file = path.open("ab")
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


def _check_disk(run_dir: Path) -> None:
    free = shutil.disk_usage(run_dir).free
    if free < LEAST_DISK_BYTES:
        raise StationRefused(
            f"only {free / 1e9:.2f} GB are free for {run_dir}; a run needs at least "
            f"{LEAST_DISK_BYTES / 1e9:.0f} GB for its transition log. "
            "Free some space or set run.directory to another disk."
        )
