"""A state directory of its own for every test, a learner's server, and the two machines of the link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.emulators.learner_server import Learner, learner_at
from tests.transport.linked import Linked
from workers.transport import door, door_rates, enrolment_service


@pytest.fixture
async def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Linked]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    world = await Linked(tmp_path).start()
    yield world
    await world.stop()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This user's secrets, empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "hilserl"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door lets everybody in, however often they come: for tests of what is behind it."""
    monkeypatch.setattr(door_rates, "BURST", 1e9)
    monkeypatch.setattr(door, "REFUSALS", 10**9)


@pytest.fixture
async def learner(state: Path, unhurried: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Learner]:
    monkeypatch.setattr(enrolment_service, "TARPIT_S", 0.05)
    made = learner_at()
    await made.server.start()
    yield made
    await made.server.stop(0.0)
