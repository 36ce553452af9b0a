"""How long training pauses for a checkpoint: the longest time from one update to the next, with and without.

Networks and updates are those of configs/sim_pick_lift.toml; replay holds 50,000 transitions with two cameras of
64x64 pixels. A checkpoint does not hold replay, so its size does not change with the buffer.

Run: python -m benchmarks.checkpoint [--transitions N] [--checkpoints N] [--folder DIR]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.made_up_run import made_up_run, write_log
from workers.learner.memory import tune_allocator
from workers.learner.session import LearnerSession

UPDATES_BETWEEN = 40


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


def gaps_with_checkpoint(session: LearnerSession, latest: Path) -> tuple[list[float], float]:
    """Gaps from the update after which a checkpoint is begun until it is on disk; and how long that took, in ms."""
    before = latest.read_text() if latest.exists() else ""
    start = time.perf_counter()
    session.save_checkpoint()
    called_ms = 1e3 * (time.perf_counter() - start)
    gaps = gaps_ms(session, lambda done: not latest.exists() or latest.read_text() == before or done < 2)
    gaps[0] += called_ms
    return gaps, 1e3 * (time.perf_counter() - start)


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
        session = LearnerSession(config)
        gaps_ms(session, lambda done: done < 5)
        without: list[float] = []
        during: list[float] = []
        took: list[float] = []
        for _ in range(options.checkpoints):
            without += gaps_ms(session, lambda done: done < UPDATES_BETWEEN)
            gaps, ms = gaps_with_checkpoint(session, config.run_dir / "checkpoints" / "LATEST")
            during += gaps
            took.append(ms)
        newest = sorted((config.run_dir / "checkpoints").glob("step-*"))[-1]
        size = sum(path.stat().st_size for path in newest.iterdir())
        held = session.replay.online_size + session.replay.demonstration_size
        session.close()
    print(f"{held} transitions in replay; a checkpoint has {size / 1e6:.1f} MB and takes", end=" ")
    print(f"{np.median(took):.0f} ms until it is on disk (longest of {len(took)}: {max(took):.0f} ms)")
    print(f"{'from update to update, ms':28s} {'updates':>7s} {'median':>10s} {'p99':>8s} {'longest':>10s}")
    print(row("without a checkpoint", without))
    print(row("while one is saved", during))
    print(f"pause of training: {max(during) - float(np.median(without)):.0f} ms beyond the median update")


if __name__ == "__main__":
    main()
