"""Thirty random faults of processes and network while an actor writes two 128x128 cameras at 10 Hz."""

import random
from pathlib import Path

import pytest

from tests.transport.chaos import FAULTS, survive
from workers.transport.record import FeatureSpec

TWO_CAMERAS = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_thirty_faults_lose_nothing_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    faults = random.Random(seed).choices(FAULTS, k=30)
    await survive(tmp_path, TWO_CAMERAS, faults, seed, hz=10, total=900)
