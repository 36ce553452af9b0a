"""A run with a policy, and evaluations of it in real processes."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from workers.config import load
from workers.config.ready import ready_config
from workers.learner.session import LearnerSession

ROOT = Path(__file__).parents[2]
STEP = 30
CHANGES = {
    "name": '"reach"',
    "resize_size": "[32, 32]",
    "control_time_s": "0.5",
    "latent_dim": "16",
    "online_buffer_capacity": "200",
    "offline_buffer_capacity": "200",
    "torch_threads": "1",
}


def trained_run(folder: Path) -> Path:
    """The configuration of a run in `folder` that has one checkpoint, of `STEP` updates that were never made."""
    text = ready_config("sim_reach").read_text()
    for key, value in {**CHANGES, "directory": f'"{folder / "runs"}"'}.items():
        start = text.index(f"\n{key} = ") + 1
        text = text[:start] + f"{key} = {value}" + text[text.index("\n", start) :]
    path = folder / "reach.toml"
    path.write_text(text)
    torch.set_num_threads(1)
    session = LearnerSession(load(path))
    session.sac.critic_updates = STEP
    session.publish()
    session.save_checkpoint(wait=True)
    session.close()
    return path


def evaluating(config: Path, *options: str) -> subprocess.Popen[str]:
    """`hilserl-worker evaluate` of it."""
    folder = config.parent
    command = [sys.executable, "-m", "workers.cli", "evaluate", "--config", str(config), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)}
    with (folder / "evaluate.txt").open("w") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            text=True,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
