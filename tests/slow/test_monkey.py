"""A minute of a monkey at the console: through Textual, and through a real terminal."""

import sys
from pathlib import Path

import pytest

from tests.console.test_monkey import NO_WORKERS, played, typed

pytestmark = pytest.mark.slow


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_hundreds_of_strokes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    monkeypatch.setattr(sys, "executable", NO_WORKERS)
    await played(tmp_path, seed=seed, strokes=400)
    assert not caplog.records, "a pane could not be drawn"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_minute_of_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    await typed(tmp_path, monkeypatch, seed=seed, seconds=30.0)
