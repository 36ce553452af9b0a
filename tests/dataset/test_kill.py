"""`kill -9` of a recording process at random moments: what was said to be saved is there, in LeRobot's eyes too."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.dataset.made import frame, opened
from workers.dataset.reader import Dataset


@pytest.mark.parametrize("storage", ["video", "png"])
def test_kills_while_recording_lose_no_saved_episode(tmp_path: Path, storage: str) -> None:
    killed(tmp_path / "set", storage, times=6)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("storage", ["video", "png"])
def test_a_hundred_kills_while_recording_lose_no_saved_episode(tmp_path: Path, storage: str) -> None:
    killed(tmp_path / "set", storage, times=50)


def killed(root: Path, storage: str, times: int) -> None:
    """Record, kill and look, over and over again, into one dataset."""
    shown = -1
    command = [sys.executable, "-m", "tests.dataset.kill_target", str(root), storage]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as recorder:
        for _ in range(times):
            shown = max(shown, last_shown(recorder, random.uniform(0, 0.8)))
            if shown >= 0:
                look(root, at_least=shown + 1)
    assert recorder.returncode == 0
    assert shown >= 1, "episodes were saved between the kills"
    writer = opened(root, storage == "video")
    assert writer.origins == {f"log:{number}" for number in range(writer.episodes)}
    writer.close()


def last_shown(recorder: subprocess.Popen[str], after_s: float) -> int:
    """The episode that was said to be saved last, before a kill that long after recording began; -1 for none."""
    assert recorder.stdin is not None and recorder.stdout is not None
    recorder.stdin.write("go on\n")
    recorder.stdin.flush()
    word, _, pid = recorder.stdout.readline().partition(" ")
    assert word == "open", "the dataset cannot be gone on with"
    time.sleep(after_s)
    os.kill(int(pid), signal.SIGKILL)
    lines = list(iter(recorder.stdout.readline, "gone\n"))
    return int(lines[-1].removeprefix("saved ")) if lines else -1


def look(root: Path, at_least: int) -> None:
    """Read all of it, before anything mends it."""
    dataset = Dataset(root)
    count = len(dataset.episodes)
    assert count >= at_least
    for episode in dataset.episodes[-3:]:
        frames = dataset.frames(episode.index)
        expected = np.stack([frame(episode.index, step)["observation.state"] for step in range(6)])
        assert np.array_equal(frames["observation.state"], expected)
        assert all(len(rows) == 6 for rows in frames.values())
    look_with_lerobot(root, count)


def look_with_lerobot(root: Path, episodes: int) -> None:
    try:
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    except ImportError:
        return
    import datasets

    datasets.config.HF_DATASETS_CACHE = root.with_name("cache")
    loaded = LeRobotDataset("someone/lift", root=root)
    assert loaded.num_episodes == episodes and len(loaded) == 6 * episodes
    for number in (0, len(loaded) // 2, len(loaded) - 1):
        assert loaded[number]["observation.state"].tolist() == [number // 6, number % 6, 0.5]
