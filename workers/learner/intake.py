"""Intake: the logs of a run as one stream of records, fair to all, in an order that a resume repeats."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import TypeVar, cast

from workers.dataset.feed import Fed
from workers.learner.checkpoint import LogPosition
from workers.learner.intake_order import IntakeMark, IntakeOrder, sync_file
from workers.transport.log_format import LogDamaged, read_epoch, segments, sync_directory
from workers.transport.log_reader import LogReader
from workers.transport.record import FeatureSpec, Record
from workers.transport.sources import DATASET, LOCAL, OWN, dataset_log, logs_of

RECORDS_AHEAD = 16  # read at once from a log in restoring: 1.6 MB of two raw 128x128 cameras
REFILL_PERIOD_S = 0.5
BREATH_S = 1.0
Runs = list[tuple[str, int]]
"""(source, how many records of it), in the order in which they were taken in."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class LogLost(Exception):
    """A log is not what it was when a checkpoint was saved; the message says which, and what to do."""


class Intake:
    """Follows every log of a run; new ones are found while it runs."""

    def __init__(self, run_dir: Path, features: FeatureSpec) -> None:
        """Raises LogMismatch when a log holds other features."""
        self._run_dir = run_dir
        self._features = features
        self._readers: dict[str, LogReader] = {}
        self._order = IntakeOrder(run_dir / "intake")
        self._waited_for: set[str] = set()
        self._find()

    def _find(self) -> dict[str, Path]:
        logs = logs_of(self._run_dir)
        for source, directory in logs.items():
            if source not in self._readers:
                self._readers[source] = LogReader(directory, self._features)
        return logs

    def read_new(self, limit: int) -> list[tuple[str, list[Record]]]:
        """What was appended since the last call: (source, records), about `limit` in all, the same share a source.

        Raises LogMismatch, or LogDamaged when it is this machine's own log.
        """
        self._find()
        share = max(1, limit // max(1, len(self._readers)))
        new = [(source, self._read(source, share)) for source in self._readers]
        taken = [(source, records) for source, records in new if records]
        for source, records in taken:
            self._order.note(source, len(records))
        return taken

    def _read(self, source: str, limit: int) -> list[Record]:
        """What is new there. A copy of an actor's log that is damaged has nothing new until it is whole again."""
        try:
            return self._readers[source].read_new(limit=limit)
        except LogDamaged:
            if source in OWN:
                raise
            self._wait_for(source)
            return []

    def _wait_for(self, source: str) -> None:
        if source not in self._waited_for:
            self._waited_for.add(source)
            log.warning(
                "records of %s that were here are missing or damaged: waiting until its robot PC is linked and"
                " sends them again",
                source,
            )

    def read_as(self, runs: Runs) -> list[tuple[str, list[Record]]]:
        """The records that another reader of these logs took in from here; the order is its to write down.

        Raises LogLost, LogMismatch, or LogDamaged.
        """
        self._find()
        return [
            (source, list(self._read_up_to(source, self._readers[source].position + count)))
            for source, count in runs
        ]

    # What a checkpoint remembers

    def positions(self) -> dict[str, LogPosition]:
        """How far each log was read, those left out that nothing was read of."""
        logs = self._find()
        return {
            source: LogPosition(reader.position, _epoch(logs[source]))
            for source, reader in self._readers.items()
            if reader.position
        }

    def mark(self) -> IntakeMark:
        """Write down the order up to here. Raises OSError."""
        return self._order.mark()

    def sync(self) -> None:
        """Wait until all that was taken in so far is on disk: a checkpoint must not outlive its records."""
        self._order.sync()
        sync_directory(self._run_dir)
        for directory in logs_of(self._run_dir).values():
            for segment in segments(directory)[-2:]:  # older ones were synced when they were full
                sync_file(segment)

    # Resuming

    def begin(self) -> None:
        """Take everything in from the start. Raises OSError."""
        self._order.go_on_from(IntakeMark())

    def restore(
        self, positions: Mapping[str, LogPosition], mark: IntakeMark | None, fed: Fed | None = None
    ) -> Iterator[tuple[str, Record]]:
        """Every record up to `positions`, in the order of intake up to `mark`, one by one.

        Where labels of the dataset that the run was `fed` with were corrected since, all of its records as they are
        now come first. Raises LogLost when a log is another one or ends before; LogMismatch, LogDamaged or OSError.
        """
        logs = self._find()
        positions, corrected = _as_corrected(positions, fed, logs)
        for source, position in positions.items():
            if source not in logs:
                raise LogLost(_lost(self._run_dir, source, "is not there any more"))
            epoch = _epoch(logs[source])
            if position.epoch and epoch != position.epoch:
                raise LogLost(_lost(self._run_dir, source, f"was begun anew ({epoch or 'no'} epoch)"))
        streams = {
            source: self._read_up_to(source, position.records) for source, position in positions.items()
        }
        for source, count in self._order_of(positions, mark, corrected):
            for _ in range(count):
                yield source, next(streams[source])

    def _read_up_to(self, source: str, wanted: int) -> Iterator[Record]:
        """Waits for records of another machine that are missing here: the ingest worker has them sent again."""
        reader = self._readers[source]
        while reader.position < wanted:
            records = self._read(source, min(RECORDS_AHEAD, wanted - reader.position))
            if not records and source not in OWN:
                self._wait_for(source)
                time.sleep(REFILL_PERIOD_S)
            elif not records:
                found = f"ends after {reader.position:,} of the {wanted:,} records that were learned from"
                raise LogLost(_lost(self._run_dir, source, found))
            yield from records

    def _order_of(
        self, positions: Mapping[str, LogPosition], mark: IntakeMark | None, corrected: bool
    ) -> list[tuple[str, int]]:
        """The order of intake. Where it is lost, the same records in turns; a single log has but one order."""
        wanted = {source: position.records for source, position in positions.items()}
        if mark is not None and len(wanted) > 1:
            try:
                runs = self._order.read(mark)
                if corrected:
                    others = [run for run in runs if run[0] != DATASET]
                    return self._begin_with([(DATASET, wanted[DATASET]), *others])
                if _totals(runs) != wanted:
                    raise ValueError(f"{self._run_dir / 'intake'} is not of these logs")
            except (OSError, ValueError) as error:
                log.warning(
                    "%s: replay was built anew from the logs; only the order of its transitions differs",
                    error,
                )
            else:
                self._order.go_on_from(mark)
                return runs
        return self._begin_with(_in_turns(wanted))

    def _begin_with(self, runs: Runs) -> Runs:
        """Make this the order, in the place of what was written down. Raises OSError."""
        self._order.go_on_from(IntakeMark())
        for source, count in runs:
            self._order.note(source, count)
        return runs


def one_ahead(pieces: Iterator[T], breathe: Callable[[], object]) -> Iterator[T]:
    """`pieces`, each taken in a thread while the one before is worked on: reading and checking lets go of the
    interpreter, and so does copying pictures. `breathe` is called with each, and while one is long in coming."""
    end = object()
    with ThreadPoolExecutor(1, "intake") as thread:
        following = thread.submit(next, pieces, end)
        while True:
            breathe()
            try:
                piece = following.result(BREATH_S)
            except NotYet:
                continue
            if piece is end:
                return
            following = thread.submit(next, pieces, end)
            yield cast(T, piece)


def _as_corrected(
    positions: Mapping[str, LogPosition], fed: Fed | None, logs: Mapping[str, Path]
) -> tuple[Mapping[str, LogPosition], bool]:
    """`positions`, the dataset's log read to its end where it took the place of the one that they mean."""
    known = positions.get(DATASET)
    if fed is None or known is None or known.epoch not in fed.replaced:
        return positions, False
    return {**positions, DATASET: LogPosition(fed.records, _epoch(logs[DATASET]))}, True


def _epoch(directory: Path) -> str:
    epoch = read_epoch(directory)
    return "" if epoch is None else f"{epoch:016x}"


def _totals(runs: list[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for source, count in runs:
        totals[source] = totals.get(source, 0) + count
    return totals


def _in_turns(wanted: Mapping[str, int], turn: int = 256) -> list[tuple[str, int]]:
    """All of `wanted`, a piece of each source in turn."""
    rounds = range(0, max(wanted.values(), default=0), turn)
    return [
        (source, min(turn, total - done))
        for done in rounds
        for source, total in wanted.items()
        if done < total
    ]


def _lost(run_dir: Path, source: str, what: str) -> str:
    own = {LOCAL: run_dir / "log", DATASET: dataset_log(run_dir)}
    return f"the log {own.get(source, run_dir / 'actors' / source)} {what}"
