"""A run that begins with the demonstrations of a dataset, with its real processes: nobody is asked to demonstrate."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.dataset.shown import recorded_here
from tests.station.test_run import END_WITHIN_S, Run, small_config
from workers.config import load
from workers.model.events import EpisodeKind
from workers.runtime.episode_book import EpisodeBook
from workers.station.main import StationRefused, run_station
from workers.station.serving import run_learner
from workers.transport.log import LogReader
from workers.transport.record import Step
from workers.transport.sources import dataset_log


def fed_config(folder: Path) -> Path:
    """The small run, which has the dataset in `folder`/set to begin with."""
    path = small_config(folder)
    path.write_text(path.read_text() + f'\n[dataset]\nroot = "{folder / "set"}"\n')
    return path


def trained(run: Run) -> bool:
    return "training  ep " in run.output.read_text()


@pytest.mark.timeout(180)
def test_a_run_with_enough_demonstrations_in_its_dataset_trains_at_once(tmp_path: Path) -> None:
    config = load(fed_config(tmp_path))
    recorded_here(config, tmp_path / "set", [12] * 5, failed=(2,))
    run = Run(tmp_path)
    until_s = time.monotonic() + 90
    while not trained(run) and run.process.poll() is None and time.monotonic() < until_s:
        time.sleep(0.2)
    run.end(signal.SIGTERM, END_WITHIN_S)
    printed = run.output.read_text()
    assert "dataset: 4 demonstrations; of operator.demonstrations = 4, 0 are to be recorded" in printed
    assert "recording demonstrations" not in printed and "training: learning on the arm" in printed
    kinds = {episode.kind for episode in EpisodeBook(run.run_dir).read()}
    assert kinds == {EpisodeKind.TRAINING}, printed
    steps = [record for record in LogReader(dataset_log(run.run_dir)).read_new() if isinstance(record, Step)]
    assert len(steps) == 48 and all(step.is_demonstration for step in steps)
    assert re.search(r"policy [1-9]", printed), printed


@pytest.mark.parametrize("serve", [run_station, run_learner], ids=["station", "learner"])
async def test_a_dataset_that_does_not_fit_refuses_the_run_with_file_line_and_key(
    serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = fed_config(tmp_path)
    config = load(path)
    recorded_here(config, tmp_path / "set", [4])
    path.write_text(path.read_text().replace("\nfps = 10 ", "\nfps = 20 "))
    line = 1 + path.read_text().splitlines().index(f'root = "{tmp_path / "set"}"')
    with pytest.raises(StationRefused) as refused:
        await serve(path)
    said = str(refused.value)
    assert re.search(rf"small\.toml:{line}: dataset\.root: .*set cannot be used for this run:\n", said), said
    assert re.search(r"fps +20 +10\n +-> set env\.fps = 10", said), said


async def test_a_dataset_that_is_not_there_refuses_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(StationRefused, match=r"small\.toml:[0-9]+: dataset\.root: there is no dataset in"):
        await run_station(fed_config(tmp_path))
