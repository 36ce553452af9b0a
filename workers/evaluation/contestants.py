"""The list of the policies that an evaluation tries, beside the policies themselves. Imports nothing heavy."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from workers.actor.trial_shelves import FOLDER
from workers.model.evaluation import Contestant

_LIST = "contestants.json"


def write_contestants(run_dir: Path, contestants: Iterable[Contestant]) -> None:
    """For the run in `run_dir`, which evaluates them. Raises OSError."""
    (run_dir / FOLDER / _LIST).write_bytes(msgspec.json.encode(tuple(contestants)))


def read_contestants(run_dir: Path) -> tuple[Contestant, ...]:
    """What `write_contestants` wrote. Raises OSError, ValueError."""
    return msgspec.json.decode((run_dir / FOLDER / _LIST).read_bytes(), type=tuple[Contestant, ...])
