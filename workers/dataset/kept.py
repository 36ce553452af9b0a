"""The episodes of a transition log that belong into a dataset."""

from collections.abc import Iterator

from workers.transport.log import LogReader
from workers.transport.record import EpisodeEnd, Outcome, Record, Step

_RECORDS_AT_ONCE = 64  # two raw 128x128 cameras: 6 MB


def kept_episodes(log: LogReader) -> Iterator[list[Step]]:
    """Every demonstration that succeeded and was not discarded, oldest first, with all its steps.

    Raises LogError.
    """
    steps: list[Step] = []
    for record in _records(log):
        if steps and _episode(record) != _episode(steps[0]):
            steps = []  # cut by a crash: it has no end
        if isinstance(record, Step):
            steps.append(record)
            continue
        if steps and _is_kept(record, steps):
            yield steps
        steps = []


def _records(log: LogReader) -> Iterator[Record]:
    while records := log.read_new(_RECORDS_AT_ONCE):
        yield from records


def _episode(record: Record) -> tuple[int, int]:
    return record.session, record.episode


def _is_kept(end: EpisodeEnd, steps: list[Step]) -> bool:
    demonstrated = all(step.is_demonstration for step in steps)
    return demonstrated and not end.discard and end.outcome is Outcome.SUCCESS
