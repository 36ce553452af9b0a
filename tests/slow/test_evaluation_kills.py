"""An evaluation whose station is killed: every trial that was told is on the disk, and no worker stays."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.on_pty import ProgramOnPty
from tests.console.small_terminal import SmallTerminal
from tests.station.evaluated_run import ROOT, evaluating, trained_run
from workers.model.evaluation_files import newest

KILLS = 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_evaluation_keeps_its_trials(tmp_path: Path) -> None:
    config = trained_run(tmp_path)
    for kill in range(KILLS):
        process = evaluating(config, "--trials", "500")
        until_s = time.monotonic() + 40.0
        while (tmp_path / "evaluate.txt").read_text().count("trial ") < 3 + kill:
            assert process.poll() is None and time.monotonic() < until_s
            time.sleep(0.02)
        told = (tmp_path / "evaluate.txt").read_text().count("trial ")
        process.send_signal(signal.SIGKILL)
        process.wait()
        result = newest(tmp_path / "runs/reach", 1)[0]
        assert len(result.trials) >= told - 1, "the last one was being written"
        assert (result.ended, result.complete) == ("", False)
        while _alive(process.pid):
            assert time.monotonic() < until_s, "a worker outlives its station"
            time.sleep(0.05)
    assert len(newest(tmp_path / "runs/reach", 99)) == KILLS


def _alive(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_key_makes_the_trials_that_a_killed_evaluation_lacks(tmp_path: Path) -> None:
    config, run_dir = trained_run(tmp_path), tmp_path / "runs/reach"
    process = evaluating(config, "--trials", "6")
    until(lambda: bool(newest(run_dir, 1)) and len(newest(run_dir, 1)[0].trials) >= 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not _alive(process.pid))
    before = newest(run_dir, 1)[0]
    assert not before.complete
    here = {"PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    terminal = SmallTerminal()
    command = [sys.executable, "-m", "hilserl_tui.cli", "evaluate", str(config)]
    console = ProgramOnPty(command, {**os.environ, **here}, on_drawn=terminal.receive)
    try:
        told = f"i  goes on with the one cut off after {len(before.trials)} of 6 trials"
        until(lambda: told in "\n".join(terminal.text(120, 40)))
        console.press(b"i")
        until(lambda: newest(run_dir, 1)[0].complete, 120.0)
    finally:
        console.close()
        down = [sys.executable, "-m", "hilserl_tui.cli", "down"]
        subprocess.run(down, env={**os.environ, **here}, check=False, capture_output=True)
    after = newest(run_dir, 99)
    assert len(after) == 1 and after[0].trials[: len(before.trials)] == before.trials
    assert len([trial for trial in after[0].trials if trial.counted]) == 6


def until(there: Callable[[], bool], limit_s: float = 40.0) -> None:
    end_s = time.monotonic() + limit_s
    while not there():
        assert time.monotonic() < end_s
        time.sleep(0.05)
