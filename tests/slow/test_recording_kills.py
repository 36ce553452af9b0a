"""A hundred kills of a recording: the dataset opens every time, with every episode that was shown as saved."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.station.recording_run import RecordingRun, recording_file
from workers.dataset.reader import Dataset
from workers.model.events import EpisodeSaved

KILLS = 100
VICTIMS = ("recorder", "station", "actor", "recorder", "station")


@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_a_hundred_kills_lose_no_episode_that_was_shown_as_saved(tmp_path: Path) -> None:
    rng = random.Random(int(os.environ.get("HILSERL_CHAOS_SEED", "1")))
    path, shown = recording_file(tmp_path), list[EpisodeSaved]()
    kills = 0
    while kills < KILLS:
        run = RecordingRun(path)
        try:
            run.wait_until_saved(1)
            for _ in range(rng.randrange(1, 4)):
                time.sleep(rng.uniform(0.0, 2.5))
                kills += _struck(run, rng.choice(VICTIMS))
                _check(tmp_path / "set", [*shown, *run.saved()])
        finally:
            run.kill()
        shown += run.saved()
        _check(tmp_path / "set", shown)
    assert len({one.index for one in shown if one.index is not None}) > KILLS


def _struck(run: RecordingRun, victim: str) -> bool:
    """Kill one of the run's processes; the station is killed at the end of each run."""
    if victim == "station":
        run.kill()
        return True
    pid = run.pid_of(victim)
    if not pid or not Path(f"/proc/{pid}").exists():
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def _check(root: Path, shown: list[EpisodeSaved]) -> None:
    dataset = Dataset(root)
    lengths = [episode.length for episode in dataset.episodes]
    for one in shown:
        if one.index is not None:
            assert lengths[one.index] == one.frames
    frames = dataset.frames(len(lengths) - 1)
    assert len(frames["action"]) == lengths[-1]
