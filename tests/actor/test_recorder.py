"""What was recorded stays recorded, through a full disk and a restart."""

import os
import shutil
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from workers.actor.recorder import Recorder
from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind
from workers.runtime.episode_book import EpisodeBook
from workers.transport.log import LogFull, LogReader, LogUnsaved, LogWriter
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=2, cameras=("front",), height=4, width=4)
Usage = namedtuple("Usage", "total used free")


def step(episode: int, number: int) -> Step:
    return Step(
        episode=episode,
        step=number,
        state=np.zeros(2, np.float32),
        images=np.zeros((1, 4, 4, 3), np.uint8),
        action=np.zeros(4, np.float32),
        reward=0.0,
        terminated=False,
        truncated=False,
    )


def ended(episode: int, ended_by: EndedBy = EndedBy.SUCCESS) -> EpisodeEnded:
    return EpisodeEnded(episode, EpisodeKind.DEMONSTRATION, 1.0, 5, 5, 0, ended_by, 0.5)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path, FEATURES)
    assert made.open()
    return made


def test_a_restart_goes_on_after_the_last_episode_of_book_and_log(recorder: Recorder, tmp_path: Path) -> None:
    assert recorder.next_episode == 0
    recorder.finish(ended(0))
    recorder.append(step(1, 0))  # killed in the middle of episode 1
    recorder.close()
    again = Recorder(tmp_path, FEATURES)
    assert again.open()
    assert again.next_episode == 2
    assert again.demonstrations(failures_too=False) == 1


def test_only_successful_demonstrations_are_counted(recorder: Recorder) -> None:
    recorder.finish(ended(0))
    recorder.finish(ended(1, EndedBy.RERECORD))
    recorder.finish(ended(2, EndedBy.FAILURE))
    assert recorder.demonstrations(failures_too=False) == 1


def test_a_full_disk_loses_nothing_and_recording_goes_on_when_there_is_room(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.append(step(0, 0))
    with monkeypatch.context() as full:
        full.setattr(EpisodeBook, "append", raise_no_space)
        full.setattr(LogWriter, "append", raise_log_full)
        full.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 0))
        with pytest.raises(LogFull, match="full"):
            recorder.append(step(0, 1))
        assert not recorder.finish(ended(0))
        recorder.close()
        assert not recorder.open()
    assert recorder.open()
    recorder.append(step(1, 0))
    recorder.close()
    steps = [(r.session, r.episode, r.step) for r in LogReader(tmp_path / "log").read_new()]
    assert steps == [(0, 0, 0), (1, 1, 0)]
    assert [episode.episode for episode in EpisodeBook(tmp_path).read()] == [0]


def raise_no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def raise_log_full(*_: object) -> None:
    raise LogFull("the disk is full")


def test_a_disk_that_did_not_save_is_told_at_the_next_step_and_recording_goes_on(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.append(step(0, 0))
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", raise_no_space)
        recorder.finish(ended(0))
        while recorder._log is not None and not recorder._log._later._error:
            time.sleep(0.001)
    with pytest.raises(LogUnsaved, match="No space left on device"):
        recorder.append(step(1, 0))
    recorder.close()
    assert recorder.open()
    recorder.append(step(2, 0))
    recorder.close()
    assert [r.episode for r in LogReader(tmp_path / "log").read_new()] == [0, 2]
