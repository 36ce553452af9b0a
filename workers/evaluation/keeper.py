"""Keeper: every trial is on the disk before the next one ends, whatever becomes of the evaluation.

Files are written by a thread of their own, so that a slow disk never makes the arm wait for the station.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from workers.evaluation.report import report
from workers.model.evaluation import SIDES, Result, Trial
from workers.model.evaluation_events import EvaluationBegan, EvaluationEnded, TrialEnded, TrialKept
from workers.model.evaluation_files import REPORT, RESULT
from workers.model.event import Event

UNCOUNTED = ("stop", "rerecord")
log = logging.getLogger(__name__)


class Keeper:
    """Keeps one evaluation in `result.folder`, and tells the consoles by `emit` how it goes."""

    def __init__(self, result: Result, emit: Callable[[Event], None]) -> None:
        self.result = result
        self._emit = emit
        self._folder = Path(result.folder)
        self._thread = ThreadPoolExecutor(1, "evaluation files")
        self._failed = False
        emit(EvaluationBegan(result))
        self._write({})

    def take(self, event: TrialEnded) -> Trial:
        """Enter a trial."""
        files, pictures = _named(event, len(self.result.trials), len(self.result.contestants) > 1)
        trial = Trial(
            number=event.number,
            side=event.side,
            seed=event.seed,
            counted=event.ended_by not in UNCOUNTED,
            why=event.reason or ("to be repeated, said the person" if event.ended_by == "rerecord" else ""),
            success=event.ended_by == "success",
            ended_by=event.ended_by,
            decided_by=event.decided_by,
            steps=event.steps,
            seconds=event.seconds,
            ended_s=round(time.time(), 2),
            pictures=pictures,
        )
        self.result = msgspec.structs.replace(self.result, trials=(*self.result.trials, trial))
        self._emit(TrialKept(trial))
        self._write(files)
        return trial

    def end(self, ended: str, complete: bool) -> None:
        """Close the result; returns when all of it is on the disk. Ending twice is fine."""
        if self.result.ended:
            return
        self.result = msgspec.structs.replace(self.result, ended=ended, complete=complete)
        self._emit(EvaluationEnded(ended, complete))
        self._write({})
        self._thread.shutdown()

    def _write(self, files: Mapping[str, bytes]) -> None:
        self._thread.submit(write, self._folder, self.result, files).add_done_callback(self._on_written)

    def _on_written(self, done: Future[None]) -> None:
        """In that thread."""
        error = done.exception()
        if error is not None and not self._failed:
            log.error(
                "the evaluation cannot be written to %s (%s): free some space; it is tried again after the next trial",
                self._folder,
                error,
            )
        self._failed = error is not None


def write(folder: Path, result: Result, files: Mapping[str, bytes]) -> None:
    """Write new `files`, then the result and its report, each whole or not at all. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in files.items():
        _lay(folder / name, data)
    _lay(folder / RESULT, msgspec.json.format(msgspec.json.encode(result)))
    _lay(folder / REPORT, report(result, folder).encode())


def _lay(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.tmp")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _named(event: TrialEnded, row: int, of_two: bool) -> tuple[dict[str, bytes], dict[str, tuple[str, str]]]:
    """Files of a trial's pictures, and their names by camera; `row` is the trial's place among all that were made."""
    files: dict[str, bytes] = {}
    names: dict[str, tuple[str, str]] = {}
    side = f"-{SIDES[event.side].lower()}" if of_two else ""
    for camera, (first, last) in event.pictures.items():
        safe = "".join(char if char.isalnum() or char in "._" else "_" for char in camera)
        pair = tuple(f"trial-{row + 1:03d}{side}-{safe}-{when}.png" for when in ("first", "last"))
        names[camera] = (pair[0], pair[1])
        files |= {pair[0]: first, pair[1]: last}
    return files, names
