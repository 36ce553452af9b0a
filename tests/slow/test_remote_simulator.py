"""The simulated arm learns from a learner of its own user on the same machine, which is killed in between."""

import signal
from pathlib import Path

import pytest

from tests.station.console import Console
from tests.station.test_remote_run import (
    SWAP_WITHIN_S,
    Learner,
    dies_and_comes_back,
    everything_arrives,
    oldest_policy_s,
)
from tests.station.test_run import END_WITHIN_S, ROOT, Run, small_config, until
from tests.transport.linked import free_port
from workers.config import load
from workers.model.events import Phase


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_simulated_arm_learns_through_the_link(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    path, section = small_config(tmp_path), "[policy.actor_learner_config]\n"
    link = f'{section}learner_host = "127.0.0.1"\nlearner_port = {free_port()}\nimage_format = "raw"\n'
    path.write_text(path.read_text().replace(section, link))
    learner = Learner(tmp_path)
    robot = Run(tmp_path)
    try:
        console = await Console.attach(robot.run_dir, limit_s=60.0)
        await until(console, lambda: console.state.progress.phase is Phase.TRAINING, 120.0)
        await until(console, lambda: console.state.policy_version >= 5, 120.0)
        await until(console, lambda: console.state.learner.updates > 20, 120.0)
        learner = await dies_and_comes_back(learner, tmp_path, {"arm": console})
        version = console.state.policy_version
        await until(console, lambda: console.state.policy_version > version, 120.0)
        await everything_arrives(console, robot, learner, "arm")
    finally:
        took_s = [robot.end(signal.SIGTERM), learner.end(signal.SIGTERM)]
    assert max(took_s) < END_WITHIN_S
    assert robot.children() == learner.children() == set()
    push_s = load(path).policy.actor_learner_config.policy_parameters_push_frequency
    assert oldest_policy_s(robot) < push_s + SWAP_WITHIN_S
