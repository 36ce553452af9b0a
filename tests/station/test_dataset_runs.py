"""Runs that record and replay: refused before anything moves, written however they end, and the two together."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.dataset.recorded import Recording, save, small
from workers.config import Config
from workers.config.ready import ready_config
from workers.dataset import hub
from workers.dataset.errors import DatasetError
from workers.dataset.reader import Dataset
from workers.dataset.recording import writer_of
from workers.model import events as e
from workers.model.state import ConsoleState
from workers.station import station
from workers.station.main import StationRefused, run_station

ROOT = Path(__file__).parents[2]


def file_of(folder: Path, **changes: str) -> Path:
    """`configs/sim_record.toml` for `folder`, with lines that begin with a key replaced."""
    text = ready_config("sim_record").read_text()
    lines = {
        "directory": f'"{folder / "runs"}"',
        "root": f'"{folder / "set"}"',
        "num_episodes_to_record": "2",
        "resize_size": "[32, 40]",
        **changes,
    }
    for key, value in lines.items():
        start = text.index(f"\n{key} = ") + 1
        text = text[:start] + f"{key} = {value}" + text[text.index("\n", start) :]
    path = folder / "run.toml"
    path.write_text(text)
    return path


def replay_file(folder: Path, episode: int) -> Path:
    path = file_of(folder, mode='"replay"', name='"again"')
    path.write_text(path.read_text().replace("# replay_episode = 0", f"replay_episode = {episode}"))
    return path


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Config], e.RunEnded]]:
    """A station whose run is the function in this list, and has no workers."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    todo: list[Callable[[Config], e.RunEnded]] = []

    class NoWorkers:
        def __init__(self, config: Config, *_: object, **__: object) -> None:
            self.state, self._config = ConsoleState(), config

        def listen(self, listener: Callable[[e.Event], None]) -> None:
            pass

        async def run(self) -> e.RunEnded:
            return todo[0](self._config)

    monkeypatch.setattr(station, "Station", NoWorkers)
    return todo


def one_episode(config: Config) -> None:
    with Recording(config) as recording:
        recording.episode(0, 4)
    save(config)


@pytest.mark.parametrize(("failed", "code"), [(False, 0), (True, 1)], ids=["stopped early", "failed"])
async def test_what_was_recorded_goes_to_the_hub_however_the_run_ends(
    work, tmp_path: Path, failed: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(config: Config) -> e.RunEnded:
        one_episode(config)
        return e.RunEnded("it ends here", succeeded=False, failed=failed)

    pushed: list[Path] = []
    monkeypatch.setattr(hub, "push", lambda root, repo_id: pushed.append(root))
    work.append(stop)
    assert await run_station(file_of(tmp_path, push_to_hub="true")) == code
    assert pushed == [tmp_path / "set"]


async def test_a_dataset_that_cannot_be_uploaded_fails_the_run_and_not_the_dataset(
    work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*_: object) -> None:
        raise DatasetError("the hub does not answer")

    monkeypatch.setattr(hub, "push", unreachable)
    work.append(lambda config: (one_episode(config), e.RunEnded("done", succeeded=True))[1])
    assert await run_station(file_of(tmp_path, push_to_hub="true")) == 1
    assert "the hub does not answer" in caplog.text
    assert len(Dataset(tmp_path / "set").episodes) == 1


async def test_another_recording_into_the_same_dataset_at_once_is_refused(work, tmp_path: Path) -> None:
    one_episode(config := small(tmp_path))
    writer = writer_of(config)
    with pytest.raises(StationRefused, match="being written by another process"):
        await run_station(file_of(tmp_path, video="false"))
    writer.close()


async def test_a_dataset_in_the_way_refuses_the_run_with_file_line_and_key(work, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/mine.txt").touch()
    path = file_of(tmp_path)
    line = 1 + path.read_text().splitlines().index(f'root = "{tmp_path / "set"}"')
    with pytest.raises(StationRefused, match=f"{path}:{line}: dataset.root: .*not empty"):
        await run_station(path)


async def test_an_episode_that_is_not_there_refuses_the_run(work, tmp_path: Path) -> None:
    with pytest.raises(StationRefused, match=r"dataset\.root: there is no dataset"):
        await run_station(replay_file(tmp_path, 0))
    one_episode(small(tmp_path))
    with pytest.raises(
        StationRefused, match=r"run\.toml:[0-9]+: dataset\.replay_episode: no episode 1 .* has 1"
    ):
        await run_station(replay_file(tmp_path, 1))


def headless(path: Path) -> str:
    """Run a station to its end; what it printed. Its exit code must be 0."""
    command = [sys.executable, "-m", "workers.cli", "station", "--config", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(path.parent)}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(240)
def test_recorded_episodes_become_a_dataset_and_one_of_them_is_driven_again(tmp_path: Path) -> None:
    printed = headless(file_of(tmp_path))
    assert "done: 2 episodes recorded in" in printed and "dataset: 2 episodes" in printed
    assert len(re.findall(r"episode \d+ saved: \d+ frames", printed)) == 2
    assert "learner" not in printed
    episodes = pq.read_table(tmp_path / "set/meta/episodes", columns=["length"])["length"].to_pylist()
    printed = headless(replay_file(tmp_path, 1))
    assert f"all {episodes[1]} actions are replayed; the tool was" in printed
    assert "done: episode 1 of the dataset was replayed; the tool was" in printed
