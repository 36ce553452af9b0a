"""A learner's station and two robots' stations with their real processes: nothing is lost when the learner dies."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.station.console import Console
from tests.station.test_gymnasium_run import written
from tests.station.test_run import END_WITHIN_S, ROOT, Run, until
from tests.transport.linked import free_port, log_bytes
from workers.model import commands as c
from workers.model.events import LinkState, WorkerState
from workers.model.places import EVENTS_NAME, lock_path, read_lock
from workers.transport.sources import logs_of

PUSH_S = 0.5  # between two policies
SWAP_WITHIN_S = 1.0  # what the way from the learner's networks to the actor's may take of a policy's age
LOADED_S = 1.0  # what three stations on two busy cores may add here
log = logging.getLogger(__name__)


class Learner(Run):
    """`hilserl-worker learner`, its files in `folder`/server."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.run_dir = folder / "server" / "sim_pick_lift"
        self.output = folder / "learner.txt"
        self.shared = set()
        self._options = ["--config", str(folder / "small.toml"), "--directory", str(folder / "server")]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command("learner", *arguments), stdout=output, stderr=output, cwd=ROOT
            )

    def command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "workers.cli", name, *self._options, *arguments]

    def refused(self, name: str, *arguments: str) -> str:
        """What a command that is refused says."""
        done = subprocess.run(
            self.command(name, *arguments), capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def logs(self) -> dict[str, bytes]:
        """Records of each actor, by its name."""
        return {name.rpartition("-")[0]: log_bytes(path) for name, path in logs_of(self.run_dir).items()}


def prepare(folder: Path, port: int, actor_id: str) -> Path:
    """A robot's folder, with a configuration that learns elsewhere, alone."""
    folder.mkdir()
    link = f'learner_host = "127.0.0.1"\nlearner_port = {port}\nactor_id = "{actor_id}"\n'
    path = written(
        folder,
        ("demonstrations = 1", "demonstrations = 0"),
        ("bc_pretrain_updates = 3", "bc_pretrain_updates = 0"),
        (
            "[algorithm]",
            f"[policy.actor_learner_config]\npolicy_parameters_push_frequency = {PUSH_S}\n{link}[algorithm]",
        ),
    )
    return path.parent


@pytest.mark.timeout(240)
async def test_two_robots_feed_one_learner_which_may_die_at_any_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    port = free_port()
    folders = {name: prepare(tmp_path / name, port, name) for name in ("arm", "left")}
    learner = Learner(folders["arm"])
    robots = {name: Run(folder) for name, folder in folders.items()}
    everyone = [learner, *robots.values()]
    try:
        consoles = {}
        for name, folder in folders.items():
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
            consoles[name] = await Console.attach(robots[name].run_dir, limit_s=60.0)
        for console in consoles.values():
            await until(console, lambda: console.state.policy_version >= 2)  # noqa: B023
            await until(console, lambda: console.state.learner.updates > 5)  # noqa: B023
            await until(console, lambda: len([a for a in console.state.actors if a.connected]) == 2)  # noqa: B023
            assert console.state.workers["learner"].state is WorkerState.RUNNING

        await asyncio.to_thread(refuses_what_it_should, learner)
        await asyncio.to_thread(invites, learner)
        learner = await dies_and_comes_back(learner, folders["arm"], consoles)
        everyone[0] = learner
        for name, console in consoles.items():
            await everything_arrives(console, robots[name], learner, name)
    finally:
        took_s = {type(one).__name__: one.end(signal.SIGTERM) for one in reversed(everyone)}
    assert max(took_s.values()) < END_WITHIN_S, took_s
    assert learner.process.returncode == 0, learner.output.read_text()
    assert list((learner.run_dir / "checkpoints").glob("step-*"))
    assert not lock_path(learner.run_dir).exists()
    assert all(one.children() == set() for one in everyone)
    for robot in robots.values():
        assert oldest_policy_s(robot) < PUSH_S + SWAP_WITHIN_S + LOADED_S


def oldest_policy_s(robot: Run) -> float:
    """How old a policy became while the link was up and the learner trained, by the robot's journal."""
    ages: list[float] = []
    swapped_s: float | None = None  # none since the last interruption
    for line in (robot.run_dir / EVENTS_NAME).read_bytes().splitlines():
        t_s, event = (entry := json.loads(line))["t"], entry["event"]
        match event["type"]:
            case "LinkChanged" if event["state"] != LinkState.UP:
                swapped_s = None
            case "LearnerProgress" if event["status"] != "training":
                swapped_s = None
            case "PolicySwapped" | "LearnerProgress":
                if swapped_s is not None:
                    ages.append(t_s - swapped_s)
                if event["type"] == "PolicySwapped":
                    swapped_s = t_s
    log.info("policy age: at most %.2f s, seen at %d moments", max(ages), len(ages))
    return max(ages)


def refuses_what_it_should(learner: Learner) -> None:
    assert f"a learner (pid {learner.process.pid}) serves the run" in learner.refused("learner")
    assert "exclude each other" in learner.refused("learner", "--resume", "--fresh")
    assert "has no checkpoint" in learner.refused("learner", "--resume", "--name", "another")
    assert "no learner serves the run" in learner.refused("invite", "--name", "another")
    assert read_lock(learner.run_dir) is not None


def invites(learner: Learner) -> None:
    """Another line to join with, for whoever asks on the server."""
    done = subprocess.run(learner.command("invite"), capture_output=True, text=True, cwd=ROOT, check=True)
    assert "hilserl-tui join 127.0.0.1:" in done.stdout and "--token" in done.stdout
    assert "ssh -N -L" in done.stdout
    token = done.stdout.split("--token ")[1].split()[0]
    for path in learner.run_dir.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path


async def dies_and_comes_back(learner: Learner, folder: Path, consoles: dict[str, Console]) -> Learner:
    updates = max(console.state.learner.updates for console in consoles.values())
    children = learner.children()
    os.kill(learner.process.pid, signal.SIGKILL)
    learner.process.wait()
    for console in consoles.values():
        await until(console, lambda: (link := console.state.link) and link.state is LinkState.DOWN)  # noqa: B023
        await until(console, lambda: (link := console.state.link) and link.backlog > 10)  # noqa: B023
    deadline = time.monotonic() + 5.0
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline, "workers outlive their station"
        await asyncio.sleep(0.05)
    again = Learner(
        folder, "--fresh" if not list((learner.run_dir / "checkpoints").glob("step-*")) else "--resume"
    )
    for console in consoles.values():
        await until(console, lambda: (link := console.state.link) and link.state is LinkState.UP)  # noqa: B023
        await until(console, lambda: (link := console.state.link) and link.backlog < 5)  # noqa: B023
    await until(console, lambda: console.state.learner.updates > 0)
    assert updates > 0
    return again


async def everything_arrives(console: Console, robot: Run, learner: Learner, name: str) -> None:
    """Once the arm rests, the learner has every byte of its log."""
    await console.send(c.Pause(on=True))
    await until(console, lambda: console.state.control.paused)
    deadline = time.monotonic() + 15.0
    while learner.logs().get(name) != log_bytes(robot.run_dir / "log"):
        assert time.monotonic() < deadline, (name, console.state.link)
        await console.next_batch()
    assert log_bytes(robot.run_dir / "log")
