"""Which transition logs feed a learner: its own machine's, and one of every actor that is linked to it."""

from pathlib import Path

LOCAL = ""


def log_name(actor_id: str, epoch: int) -> str:
    """Name of an actor's log on the learner's disk: a wiped actor has another epoch, and so another log."""
    return f"{actor_id}-{epoch:016x}"


def actor_log(run_dir: Path, actor_id: str, epoch: int) -> Path:
    """Where the learner keeps that log."""
    return run_dir / "actors" / log_name(actor_id, epoch)


def logs_of(run_dir: Path) -> dict[str, Path]:
    """Directories of all logs of a run by name, in an order that is always the same; "" is the local actor's."""
    local = run_dir / "log"
    actors = run_dir / "actors"
    linked = sorted(path for path in actors.iterdir() if path.is_dir()) if actors.is_dir() else []
    return ({LOCAL: local} if local.is_dir() else {}) | {path.name: path for path in linked}
