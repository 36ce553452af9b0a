"""An evaluation whose station is killed: every trial that was told is on the disk, and no worker stays."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.station.evaluated_run import evaluating, trained_run
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
