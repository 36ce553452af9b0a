"""Recorder worker: keeps the dataset of a recording up to date with the actor's log."""

import errno
import logging

from workers.config import Config
from workers.model.orders import NewRecords
from workers.runtime.harness import Desk, WorkerFailure

LOOK_PERIOD_S = 0.2  # at the log, by itself; NewRecords makes it sooner
PATIENCE_S = 5.0  # between attempts to write on a disk that is full
ATTEMPTS = 3  # at what is no full disk
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config) -> None:
    """Save episodes until told to quit, and then what is complete. Raises WorkerFailure when that cannot be done."""
    from workers.dataset.errors import DatasetError, DatasetRefused
    from workers.dataset.recording import Recording
    from workers.transport.log import LogError

    attempts = 0
    while True:
        try:
            recording = Recording(config, desk.mailbox.emit, desk.alive)
            try:
                _follow(desk, recording)
            finally:
                recording.close()
            return
        except (DatasetRefused, LogError) as refused:
            raise WorkerFailure(str(refused)) from refused
        except DatasetError as trouble:
            # The log has everything still: what the dataset lacks is read again.
            log.error("%s", trouble)
            attempts = 0 if _is_full_disk(trouble) else attempts + 1
            if attempts == ATTEMPTS or not _waited(desk):
                raise WorkerFailure(str(trouble)) from trouble


def _follow(desk: Desk, recording: "Recording") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Until told to quit; then to the end of the log."""
    while desk.alive():
        if not recording.take_in():
            _rest(desk, LOOK_PERIOD_S)
    while recording.take_in():
        desk.alive()


def _is_full_disk(trouble: Exception) -> bool:
    """Somebody will make room; every other trouble lasts until the run is started anew."""
    cause = trouble.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def _rest(desk: Desk, seconds: float) -> None:
    order = desk.next_order(seconds)
    while isinstance(order, NewRecords):  # one look serves them all
        order = desk.next_order()


def _waited(desk: Desk) -> bool:
    """Give the operator time to make room; false when there is none left, as the run ends."""
    for _ in range(round(PATIENCE_S / LOOK_PERIOD_S)):
        if not desk.alive():
            return False
        _rest(desk, LOOK_PERIOD_S)
    return True
