"""Where the station lays the policies of an evaluation, as the learner lays one for training."""

from pathlib import Path

FOLDER = "evaluated"


def shelf_of(run_dir: Path, side: int) -> Path:
    """The shelf of a side of the evaluation that runs in `run_dir`."""
    return run_dir / FOLDER / "ab"[side]
