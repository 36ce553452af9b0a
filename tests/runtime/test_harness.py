"""A worker lives no longer than its station, even if that died before the worker's first line."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from workers.runtime.harness import Desk, run
from workers.runtime.mailbox import Mailbox
from workers.runtime.shared import Beat

SPAWN = multiprocessing.get_context("spawn")


def note_whether_alive(desk: Desk) -> None:
    (desk.run_dir / "answer.tmp").write_text(f"alive {desk.alive()}")
    (desk.run_dir / "answer.tmp").rename(desk.run_dir / "answer")


def run_once_orphaned(desk: Desk, station_pid: int) -> None:
    """A worker so slow to start that its station is gone when it asks for a signal at that death."""
    while os.getppid() == station_pid:
        time.sleep(0.01)
    run(desk, note_whether_alive, ())


def die_after_starting_a_worker(folder: Path) -> None:
    desk = Desk("late", folder, Mailbox(SPAWN), Beat(SPAWN))
    SPAWN.Process(target=run_once_orphaned, args=(desk, os.getpid())).start()
    os._exit(0)


@pytest.mark.timeout(60)
def test_a_worker_whose_station_died_before_its_first_line_ends(tmp_path: Path) -> None:
    station = SPAWN.Process(target=die_after_starting_a_worker, args=(tmp_path,))
    station.start()
    station.join()
    answer, deadline = tmp_path / "answer", time.monotonic() + 30
    while not answer.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert answer.read_text() == "alive False"
