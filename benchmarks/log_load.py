"""Time until a learner that starts again has its replay back, from a log that is not in the page cache.

Two 128x128 cameras, raw. Beside it: reading the same files and doing nothing with them.

Run: python -m benchmarks.log_load [--transitions N] [--folder DIR]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.made_up_run import made_up_run, write_log
from workers.config import Config
from workers.learner.memory import tune_allocator
from workers.learner.session import LearnerSession
from workers.transport.log_format import segments


def drop_from_cache(directory: Path) -> int:
    """Have the next read go to the disk; the bytes there are."""
    total = 0
    for segment in segments(directory):
        file = os.open(segment, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        total += os.fstat(file).st_size
        os.close(file)
    return total


def read_only(directory: Path) -> float:
    """Seconds to read every segment once, 1 MiB at a time."""
    start = time.perf_counter()
    for segment in segments(directory):
        with segment.open("rb", buffering=0) as file:
            while file.read(2**20):
                pass
    return time.perf_counter() - start


def load(config: Config) -> tuple[float, LearnerSession]:
    start = time.perf_counter()
    session = LearnerSession(config)
    return time.perf_counter() - start, session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--transitions", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured; about 2 GB")
    options = parser.parse_args()
    tune_allocator()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        empty = made_up_run(Path(folder) / "empty", pixels=128, capacity=2)
        print(f"an empty session, with what torch imports for it: {load(empty)[0]:.1f} s, not counted below")
        config = made_up_run(Path(folder), pixels=128, capacity=options.transitions)
        log = config.run_dir / "log"
        write_log(config, options.transitions)
        size = drop_from_cache(log)
        print(f"{options.transitions} transitions, {size / 1e9:.2f} GB in {len(segments(log))} segments")
        rows = [("files read, cold", read_only(log))]
        drop_from_cache(log)
        seconds, session = load(config)
        rows.append(("replay from the log, cold", seconds))
        session.update()
        session.save_checkpoint(wait=True)
        held = session.replay.online_size + session.replay.demonstration_size
        session.close()
        del session
        drop_from_cache(log)
        seconds, session = load(config)
        assert session.updates == 1 and session.replay.online_size + session.replay.demonstration_size == held
        rows.append(("resumed from a checkpoint, cold", seconds))
        session.close()
        del session
        rows.append(("resumed from a checkpoint, warm", load(config)[0]))
    for name, seconds in rows:
        print(f"{name:34s} {seconds:6.1f} s {size / seconds / 1e6:8.0f} MB/s")


if __name__ == "__main__":
    main()
