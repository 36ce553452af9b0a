"""A state directory of its own for every test, and the two machines of the link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.transport.linked import Linked


@pytest.fixture
async def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Linked]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    world = await Linked(tmp_path).start()
    yield world
    await world.stop()
