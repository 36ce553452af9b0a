"""Processes killed and the network cut while an actor writes; `tests/slow/test_link_chaos.py` does it at length."""

from pathlib import Path

import pytest

from tests.transport.chaos import survive
from workers.transport.record import FeatureSpec

SMALL = FeatureSpec(state_dim=3, cameras=("front", "side"), height=32, width=32)


async def test_kills_and_cuts_lose_nothing_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    faults = ["kill ingest", "cut", "kill link", "kill writer", "hole"]
    await survive(tmp_path, SMALL, faults, seed=1, hz=60, total=600)
