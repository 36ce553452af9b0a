"""A whole run with its real processes: it survives the death of any of them and leaves nothing behind.

Workers are killed with SIGKILL one after the other while the arm trains; the operator's stop, a second station and
the ways a run ends are tried on the same run, since starting one costs seconds.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.station.console import Console
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model.events import Driver, GateMode, Phase, WorkerState
from workers.model.places import read_lock
from workers.transport.log import LogReader
from workers.transport.record import Step

ROOT = Path(__file__).parents[2]
END_WITHIN_S = 8.0
"""From the signal to the last process. It takes 1 to 2 s, but the learner, which is niced and learns on the CPU, first
finishes its update: on a busy machine that takes seconds. Both waves' patience (3 s each, `crew.py`), and 2 s to go."""
WORKERS = ("robot", "camera-front", "camera-side", "actor", "learner")


def small_config(folder: Path) -> Path:
    """The simulator's configuration with little to learn: what is tested here are the processes."""
    text = ready_config().read_text()
    for old, new in (
        ('directory = "runs"', f'directory = "{folder}"'),
        ("demonstrations = 40", "demonstrations = 4"),
        ("bc_pretrain_updates = ", "bc_pretrain_updates = 3  # was "),
        ("batch_size = 64", "batch_size = 8"),
        ("online_buffer_capacity = 20_000", "online_buffer_capacity = 2_000"),
        ("control_time_s = 4.0", "control_time_s = 2.0"),
        ("save_freq = 2000", "save_freq = 20"),
        ("width = 128", "width = 32"),
        ("height = 128", "height = 32"),
        ("resize_size = [128, 128]", "resize_size = [32, 32]"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


class Run:
    """A station in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.run_dir = folder / "sim_pick_lift"
        self.output = folder / "station.txt"
        self.shared: set[Path] = set()
        self.command = [
            sys.executable,
            "-m",
            "workers.cli",
            "station",
            "--config",
            str(folder / "small.toml"),
            *arguments,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=output, env=environment, cwd=ROOT
            )

    def children(self) -> set[int]:
        """Pids of everything below the station."""
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.add(int(stat.parent.name))
        return found

    def note_shared(self) -> None:
        """Remember the files in shared memory that the station and its children have now: other runs have theirs."""
        for pid in {self.process.pid, *self.children()}:
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/maps").read_text().split()
                self.shared |= {Path(word) for word in words if word.startswith("/dev/shm/")}

    def left_in_shared_memory(self) -> list[Path]:
        return [path for path in self.shared if path.exists()]

    def end(self, number: int, limit_s: float = END_WITHIN_S) -> float:
        """Send a signal; seconds until the station and all its children are gone."""
        self.note_shared()
        children = self.children()
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(limit_s + 5)
        while (
            any(Path(f"/proc/{pid}").exists() for pid in children)
            and time.monotonic() - started < limit_s + 5
        ):
            time.sleep(0.02)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("r")
    small_config(made)
    return made


async def until(console: Console, condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, (
            console.state.progress,
            console.state.workers,
            console.state.log[-5:],
        )
        await console.next_batch()


@pytest.mark.timeout(300)
async def test_a_run_survives_the_death_of_each_worker_and_obeys_its_operator(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    run = Run(folder, "--serve")
    try:
        console = await Console.attach(run.run_dir)
        await console.send(c.StartRun())
        await until(console, lambda: console.state.progress.phase is Phase.TRAINING)
        await until(console, lambda: console.state.policy_version > 0 and console.state.learner.updates > 5)

        second = await asyncio.to_thread(
            subprocess.run,
            run.command,
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        )  # fmt: skip
        assert second.returncode == 2
        assert f"pid {run.process.pid}" in second.stderr and "attach" in second.stderr

        await the_stop_key_latches(console)
        await a_person_takes_over(console)
        for name in WORKERS:
            run.note_shared()
            await kill_and_come_back(console, name)
        steps = console.state.learner.env_steps
        await until(console, lambda: console.state.learner.env_steps > steps + 10)
    finally:
        took_s = run.end(signal.SIGTERM)
    assert took_s < END_WITHIN_S
    assert run.children() == set()
    assert run.shared or sys.platform != "linux"
    assert not run.left_in_shared_memory()
    assert read_lock(run.run_dir) is None
    assert not [path for path in (run.run_dir, *run.run_dir.rglob("*")) if path.stat().st_mode & 0o077]
    the_log_is_whole(run.run_dir)


async def the_stop_key_latches(console: Console) -> None:
    await console.stop()
    await until(console, lambda: console.state.arm.mode is GateMode.STOPPED, 5)
    await asyncio.sleep(0.5)
    position = console.state.arm.ee_m
    for _ in range(10):
        await console.next_batch()
    assert console.state.arm.mode is GateMode.STOPPED
    assert console.state.arm.ee_m == pytest.approx(position, abs=2e-3)
    await console.send(c.ClearStop())
    await until(console, lambda: console.state.arm.mode is GateMode.ENGAGED, 20)


async def a_person_takes_over(console: Console) -> None:
    await console.send(c.Intervene(True))
    await until(console, lambda: console.state.control.driver is Driver.HUMAN, 20)
    assert not console.state.control.scripted
    height = console.state.arm.ee_m[2]
    for _ in range(5):
        await console.send(c.Jog(c.Axis.Z, 1 if height < 0.08 else -1))
        await asyncio.sleep(0.1)
    await until(console, lambda: abs(console.state.arm.ee_m[2] - height) > 0.015, 5)
    await console.send(c.Intervene(False))
    await until(console, lambda: console.state.control.driver is Driver.POLICY, 20)
    await console.send(c.UseScript(True))
    await until(console, lambda: console.state.control.scripted, 5)


async def kill_and_come_back(console: Console, name: str) -> None:
    worker = console.state.workers[name]
    os.kill(worker.pid, signal.SIGKILL)
    await until(console, lambda: console.state.workers[name].state is WorkerState.RESTARTING, 10)
    assert "SIGKILL" in console.state.workers[name].reason
    await until(console, lambda: console.state.workers[name].state is WorkerState.RUNNING, 60)
    episodes = len(console.state.episodes)
    await until(console, lambda: len(console.state.episodes) > episodes + 1, 60)


def the_log_is_whole(run_dir: Path) -> None:
    """Every record in order, no step twice, whatever was killed."""
    records = LogReader(run_dir / "log").read_new()
    assert [record.seq for record in records] == list(range(len(records)))
    steps = [(r.session, r.episode, r.step) for r in records if isinstance(r, Step)]
    assert len(steps) == len(set(steps)) > 100


@pytest.mark.timeout(120)
async def test_the_same_name_again_goes_on_with_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    run = Run(folder)
    try:
        console = await Console.attach(run.run_dir)
        await until(console, lambda: console.state.progress.phase is Phase.TRAINING)
        await until(
            console, lambda: console.state.learner.updates > 0 and console.state.learner.env_steps > 50
        )
        assert console.state.buffer.demonstrations > 0
        assert any("resumed at update" in line.text for line in console.state.log)
    finally:
        took_s = run.end(signal.SIGHUP)
    assert took_s < END_WITHIN_S and run.children() == set()
