"""Python's resource tracker: the process that takes away what killed processes left, and says so when it does.

It inherits the standard error of whoever starts it, which of a headless run is somebody's terminal. After SIGKILL of
a station it would write there that dozens of semaphores leaked, which are the queues of its workers and are gone by
then. What it says is kept in a file of the run instead.
"""

import os
from multiprocessing import resource_tracker
from pathlib import Path

NAME = "resources.out"
_STDERR = 2


def start_tracker(folder: Path) -> None:
    """Start it with its standard error in `folder`, before anything that it tracks is made."""
    target = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    before = os.dup(_STDERR)
    try:
        os.dup2(target, _STDERR)
        resource_tracker.ensure_running()
    finally:
        os.dup2(before, _STDERR)
        os.close(before)
        os.close(target)
