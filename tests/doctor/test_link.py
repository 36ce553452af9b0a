"""The way to a learner: asked for real, through its own door."""

import asyncio
from pathlib import Path

import pytest

from tests.transport.linked import Learner, config_in, free_port, join
from workers.doctor.link import link


@pytest.fixture(autouse=True)
def own_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "secrets"))


async def test_a_joined_learner_is_measured_and_takes_no_actor_for_it(tmp_path: Path) -> None:
    port = free_port()
    learner = Learner(tmp_path / "learner", port)
    await learner.start()
    try:
        join(port)
        check = await asyncio.to_thread(link, config_in(tmp_path / "robot", port))
    finally:
        await learner.stop()
    assert check.ok is True, check
    assert f"127.0.0.1:{port}: " in check.found
    assert " ms, " in check.found and "Mbit/s there; this run sends 7.9 Mbit/s" in check.found
    assert not (learner.config.run_dir / "actors").exists() or not list(
        (learner.config.run_dir / "actors").iterdir()
    )


def test_a_learner_that_is_not_joined_is_told_with_the_way(tmp_path: Path) -> None:
    check = link(config_in(tmp_path, free_port()))
    assert check.ok is False
    assert "has not joined" in check.found and "hilserl-tui join" in check.do


def test_nobody_there_is_told_with_the_way(tmp_path: Path) -> None:
    port = free_port()
    join(port)
    check = link(config_in(tmp_path, port))
    assert check.ok is False
    assert "nobody listens" in check.found
    assert "hilserl-worker learner" in check.do
