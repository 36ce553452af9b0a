"""How long training pauses for a checkpoint: the longest time from one update to the next, with and without.

Networks and updates are those of configs/sim_pick_lift.toml; replay holds 50,000 transitions with two cameras of
64x64 pixels. A checkpoint does not hold replay, so its size does not change with the buffer.

Run: python -m benchmarks.checkpoint [--transitions N] [--checkpoints N] [--folder DIR]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.made_up_run import made_up_run, write_log
from workers.learner.memory import favour_training, tune_allocator
from workers.learner.session import LearnerSession

UPDATES = 20


def gaps_ms(session: LearnerSession, go_on: Callable[[int], bool]) -> list[float]:
    """Milliseconds between the ends of updates, while `go_on` (of how many were done) says so."""
    gaps: list[float] = []
    last = time.perf_counter()
    while go_on(len(gaps)):
        session.take_in()
        session.update()
        now = time.perf_counter()
        gaps.append(1e3 * (now - last))
        last = now
    return gaps


@dataclass
class Saved:
    """What one checkpoint cost."""

    gaps: list[float]
    """From the update after which it was begun on, as many as are measured without one."""
    call_ms: float
    """What the training thread itself spent on it: copies of all tensors."""
    on_disk_ms: float


def save_while_training(session: LearnerSession, latest: Path) -> Saved:
    """Begin a checkpoint and go on training until it is on disk, and a while longer."""
    before = latest.read_text() if latest.exists() else ""
    start, on_disk = time.perf_counter(), 0.0
    session.save_checkpoint()
    call_ms = 1e3 * (time.perf_counter() - start)

    def go_on(done: int) -> bool:
        nonlocal on_disk
        if not on_disk and latest.exists() and latest.read_text() != before:
            on_disk = 1e3 * (time.perf_counter() - start)
        return done < UPDATES or not on_disk

    gaps = gaps_ms(session, go_on)
    return Saved([gaps[0] + call_ms, *gaps[1:]], call_ms, on_disk)


def row(name: str, gaps: list[float]) -> str:
    return (
        f"{name:28s} {len(gaps):7d} {np.median(gaps):10.1f} {np.percentile(gaps, 99):8.1f} {max(gaps):10.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--transitions", type=int, default=50_000)
    parser.add_argument("--checkpoints", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured; about 1.5 GB")
    options = parser.parse_args()
    tune_allocator()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        config = made_up_run(Path(folder), pixels=64, capacity=options.transitions)
        write_log(config, options.transitions)
        os.sync()  # a run writes its log over hours: the disk is not busy with it when a checkpoint comes
        session = LearnerSession(config)
        favour_training()
        gaps_ms(session, lambda done: done < 5)
        without: list[float] = []
        saves: list[Saved] = []
        for _ in range(options.checkpoints):
            without += gaps_ms(session, lambda done: done < UPDATES)
            saves.append(save_while_training(session, config.run_dir / "checkpoints" / "LATEST"))
        newest = sorted((config.run_dir / "checkpoints").glob("step-*"))[-1]
        size = sum(path.stat().st_size for path in newest.iterdir())
        held = session.replay.online_size + session.replay.demonstration_size
        session.close()
    during = [gap for saved in saves for gap in saved.gaps]
    on_disk, calls = [saved.on_disk_ms for saved in saves], [saved.call_ms for saved in saves]
    print(f"{held} transitions in replay; {len(saves)} checkpoints of {size / 1e6:.1f} MB,", end=" ")
    print(f"on disk after {np.median(on_disk):.0f} ms (longest {max(on_disk):.0f} ms)")
    print(f"{'from update to update, ms':28s} {'updates':>7s} {'median':>10s} {'p99':>8s} {'longest':>10s}")
    print(row("without a checkpoint", without))
    print(row("with one begun at the first", during))
    print(f"copying tensors, in the training thread: longest {max(calls):.0f} ms")


if __name__ == "__main__":
    main()
