"""What LeRobot recorded feeds a run as it feeds LeRobot's own buffer.

Needs a Python that has LeRobot: this one, or another whose path is in the variable HILSERL_LEROBOT_PYTHON. Skipped
without.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.altered import altered
from workers.config import Config
from workers.dataset.demonstrations import Demonstrations
from workers.dataset.jobs import prepared
from workers.dataset.units import state_units
from workers.transport.record import EpisodeEnd, Step

PYTHON = os.environ.get("HILSERL_LEROBOT_PYTHON", sys.executable if find_spec("lerobot") else None)
SCRIPT = Path(__file__).parents[1] / "emulators/lerobot_recording.py"
EPISODES, LENGTH, SIDE = 3, 12, 64
FAILED = 1

pytestmark = pytest.mark.skipif(PYTHON is None, reason="no Python with LeRobot")


def numbers() -> dict[str, np.ndarray]:
    """Episodes of an arm under way, in degrees; the second failed."""
    rng = np.random.default_rng(0)
    shape = (EPISODES, LENGTH)
    last = np.zeros(shape, bool)
    last[:, -1] = True
    state = np.array([0.0, -2.0, 0.4, 91.7, 2.8, 40.0]) + rng.normal(0, 3, (*shape, 6)).cumsum(axis=1)
    action = rng.uniform(-1, 1, (*shape, 4))
    action[..., 3] = rng.integers(0, 3, shape)
    reward = last.astype(np.float32)
    reward[FAILED] = 0
    grid = np.linspace(0, 200, SIDE)[:, None, None] + np.linspace(0, 50, SIDE)[None, :, None]
    moving = grid + np.arange(LENGTH)[:, None, None, None] + np.array([0, 2, 4])
    front = np.broadcast_to(moving, (EPISODES, LENGTH, SIDE, SIDE, 3)).astype(np.uint8)
    return {
        "state": state.astype(np.float32), "action": action.astype(np.float32), "reward": reward, "done": last,
        "penalty": np.where(action[..., 3] == 1, 0, -0.02).astype(np.float32),
        "front": front, "side": front[:, :, ::-1].copy(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A dataset written by LeRobot, and what LeRobot's buffer holds of it."""
    folder = tmp_path_factory.mktemp("lerobot")
    np.savez(folder / "numbers.npz", **numbers())
    assert PYTHON is not None
    environment = {**os.environ, "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [PYTHON, str(SCRIPT), *(str(folder / name) for name in ("set", "numbers.npz", "read.npz"))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "set", dict(np.load(folder / "read.npz"))


def config_for(folder: Path, root: Path, **changes: object) -> Config:
    keys = {
        "dataset.root": str(root),
        "run.directory": str(folder / "runs"),
        "env.processor.image_preprocessing.resize_size": [SIDE, SIDE],
        "operator.demonstrations": 2,
    }
    return altered({**keys, **changes})


@pytest.mark.timeout(300)
def test_a_run_takes_in_what_lerobot_s_buffer_does(recorded, tmp_path: Path) -> None:
    root, theirs = recorded
    positions = {
        f"env.processor.observation.add_{what}_to_observation": False
        for what in ("joint_velocity", "ee_pose")
    }
    config = config_for(tmp_path, root, **positions)
    assert prepared(config).operator.demonstrations == 0
    records = list(Demonstrations(config, root).records())
    steps = [record for record in records if isinstance(record, Step)]
    won = np.array([number // LENGTH != FAILED for number in range(EPISODES * LENGTH)])
    assert len(steps) == won.sum() and all(step.is_demonstration for step in steps)
    degrees = state_units(config).to_dataset(np.stack([step.state for step in steps]))
    assert degrees == pytest.approx(theirs["state"][won], abs=1e-4)
    assert (np.stack([step.action for step in steps]) == theirs["action"][won]).all()
    assert [step.reward for step in steps] == theirs["reward"][won].tolist()
    assert [step.terminated for step in steps] == theirs["done"][won].tolist()
    assert [step.discrete_penalty for step in steps] == pytest.approx(theirs["penalty"][won].ravel())
    for camera, name in enumerate(("front", "side")):
        ours = np.stack([step.images[camera] for step in steps]).astype(int)
        assert np.abs(ours - theirs[name][won]).max() <= 2, name  # two decoders' rounding
    ends = [record for record in records if isinstance(record, EpisodeEnd)]
    assert all(end.state is not None for end in ends)


@pytest.mark.timeout(300)
def test_velocities_and_poses_that_lerobot_does_not_keep_are_worked_out(recorded, tmp_path: Path) -> None:
    root, theirs = recorded
    config = config_for(tmp_path, root)
    units = state_units(config)
    first = [record for record in Demonstrations(config, root).records() if isinstance(record, Step)][:LENGTH]
    found = units.to_dataset(np.stack([step.state for step in first]))
    by_name = dict(zip(units.names, found.T, strict=True))
    pan = theirs["state"][:LENGTH, 0]
    assert by_name["shoulder_pan.vel"] == pytest.approx(np.diff(pan, prepend=pan[:1]) * 10, abs=1e-2)
    assert 0.0 < by_name["ee.z"].min() < by_name["ee.z"].max() < 0.5
