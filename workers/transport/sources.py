"""Which transition logs feed a learner: its own machine's, one of every actor linked to it, and a dataset's.

A log is known by its epoch. A run directory that was carried from the machine of its actor to a learner's brings
`log` along: that is the actor's log there too, and whatever is recorded from then on is appended to it.
"""

from pathlib import Path

from workers.transport.log_format import read_epoch

LOCAL = ""
DATASET = "dataset"
"""The log into which the learner writes the demonstrations of a dataset; no actor's has such a name."""
OWN = (LOCAL, DATASET)
"""Logs that this machine writes: nobody else can send them again."""


def dataset_log(run_dir: Path) -> Path:
    """Where the demonstrations of a dataset lie."""
    return run_dir / "dataset-log"


def log_name(actor_id: str, epoch: int) -> str:
    """Name of an actor's log on the learner's disk: a wiped actor has another epoch, and so another log."""
    return f"{actor_id}{_suffix(epoch)}"


def actor_log(run_dir: Path, actor_id: str, epoch: int) -> Path:
    """Where the learner keeps that log: where it lies already, under whatever name. Raises LogMismatch."""
    logs = logs_of(run_dir)
    if LOCAL in logs and read_epoch(logs[LOCAL]) == epoch:
        return logs[LOCAL]
    known = _with_epoch(logs, epoch)
    return run_dir / "actors" / log_name(actor_id, epoch) if known is None else logs[known]


def logs_of(run_dir: Path) -> dict[str, Path]:
    """Directories of all logs of a run by name, in an order that is always the same; "" is the local actor's.

    A dataset's comes first: demonstrations are there before anything else.

    Where both `log` and an actor's folder are of one epoch, `log` counts, and has the actor's name, by which
    checkpoints know it. Raises LogMismatch.
    """
    local, actors = run_dir / "log", run_dir / "actors"
    folders = sorted(path for path in actors.iterdir() if path.is_dir()) if actors.is_dir() else []
    linked = {path.name: path for path in folders}
    dataset = dataset_log(run_dir)
    first = {DATASET: dataset} if dataset.is_dir() else {}
    if not local.is_dir():
        return first | linked
    epoch = read_epoch(local) if linked else None
    known = None if epoch is None else _with_epoch(linked, epoch)
    return first | ({LOCAL: local} | linked if known is None else linked | {known: local})


def _with_epoch(logs: dict[str, Path], epoch: int) -> str | None:
    return next((name for name in logs if name.endswith(_suffix(epoch))), None)


def _suffix(epoch: int) -> str:
    return f"-{epoch:016x}"
