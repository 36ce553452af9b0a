"""What Python says of a killed station's semaphores is in its folder, not in somebody's terminal."""

import subprocess
import sys
import time
from pathlib import Path

from workers.runtime.tracker import NAME

ROOT = Path(__file__).parents[2]
KILLED = """
import multiprocessing, os, signal, sys
from pathlib import Path
from workers.runtime.tracker import start_tracker
start_tracker(Path(sys.argv[1]))
queues = [multiprocessing.get_context("spawn").Queue() for _ in range(3)]
print("a word of its own", file=sys.stderr, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_semaphores_of_a_killed_station_are_told_in_a_file_of_the_run(tmp_path: Path) -> None:
    # The tracker has the pipe of an inherited standard error open: were it there, this would read what it says.
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        timeout=30,
    )
    assert done.stderr == "a word of its own\n"
    file, until_s = tmp_path / NAME, time.monotonic() + 10.0
    while "leaked semaphore" not in file.read_text():
        assert time.monotonic() < until_s, file.read_text()
        time.sleep(0.05)
    assert file.stat().st_mode & 0o077 == 0
