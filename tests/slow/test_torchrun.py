"""torchrun with two learner processes and one simulated arm: they learn, end in order, resume, and fall together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workers.config.ready import ready_config

ROOT = Path(__file__).parents[2]
PATIENCE_S = 150.0


def write_config(folder: Path, name: str, port: int) -> Path:
    """A short, small run whose files lie below `folder`/`name`."""
    changes = {
        'directory = "runs"': f'directory = "{folder / name}"',
        "resize_size = [128, 128]": "resize_size = [32, 32]",
        "demonstrations = 40": "demonstrations = 12",
        "torch_threads = 2": "torch_threads = 1",
        "batch_size = 64": "batch_size = 8\nlog_freq = 5",
        "bc_pretrain_updates = 400": "bc_pretrain_updates = 10",
        "[policy.actor_learner_config]": (
            f'[policy.actor_learner_config]\nlearner_host = "127.0.0.1"\nlearner_port = {port}'
        ),
    }
    text = ready_config("sim_reach").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def process(folder: Path, name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, its words in `name`.txt; killed at the end if it still is."""
    private = {name: str(folder) for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
    with (folder / f"{name}.txt").open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env={**os.environ, **private, "OMP_NUM_THREADS": "1"},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
            try:
                started.wait(40.0)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()


def torchrun(config: Path, *options: str) -> list[str]:
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "workers.cli"]
    return [*command, "learner", "--config", str(config), *options]


def updates(folder: Path) -> int:
    path = folder / "learner" / "sim_reach" / "metrics.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return int(json.loads(lines[-1])["updates"]) if lines else 0


def wait_for(folder: Path, what: str, reached: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not reached():
        said = "\n".join(path.read_text()[-1500:] for path in sorted(folder.glob("*.txt")))
        assert time.monotonic() < until_s, f"{what} never came:\n{said}"
        time.sleep(0.2)


def children(pid: int) -> list[int]:
    """Direct children, oldest first (proc(5))."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks by /proc")
def test_two_ranks_learn_from_an_arm_end_in_order_resume_and_fall_together(tmp_path: Path) -> None:
    port = free_port()
    learner, robot = (write_config(tmp_path, name, port) for name in ("learner", "robot"))
    checkpoints = tmp_path / "learner" / "sim_reach" / "checkpoints"
    station = ("workers.cli", "station", "--config", str(robot), "--operator", "scripted")
    with process(tmp_path, "robot", *station):
        with process(tmp_path, "learner", *torchrun(learner)) as ranks:
            wait_for(tmp_path, "training", lambda: updates(tmp_path) >= 20)
            ranks.send_signal(signal.SIGTERM)
            ranks.wait(60.0)
        saved = max(int(path.name.removeprefix("step-")) for path in checkpoints.glob("step-*"))
        assert saved >= 20  # the last deed of an orderly end

        with process(tmp_path, "resumed", *torchrun(learner, "--resume")) as ranks:
            wait_for(tmp_path, "more training", lambda: updates(tmp_path) >= saved + 10)
            assert f"resumed at update {saved}" in (tmp_path / "resumed.txt").read_text()
            os.kill(children(ranks.pid)[-1], signal.SIGKILL)
            assert ranks.wait(60.0) != 0
