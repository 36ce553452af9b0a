"""Inside tmux: whether somebody looks at the session. A script stands in for tmux, a process for its client."""

import asyncio
import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from hilserl_tui.tmux import EVERY_S, LOOK_S, Watched

TMUX = """#!/bin/sh
echo asked >> {folder}/asked
kill -0 $(cat {folder}/client) 2>/dev/null && cat {folder}/client
exit 0
"""


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "tmux"
    script.write_text(TMUX.format(folder=tmp_path))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("TMUX", "here,1,0")
    monkeypatch.setenv("TMUX_PANE", "%0")
    return tmp_path


async def noticed_s(watched: Watched, left: bool) -> float:
    began_s = time.monotonic()
    while watched.left is not left:
        assert time.monotonic() - began_s < 5 * EVERY_S
        await asyncio.sleep(0.005)
    return time.monotonic() - began_s


async def test_a_client_that_ends_is_missed_at_once_and_one_that_comes_is_seen(tmux: Path) -> None:
    clients = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    (tmux / "client").write_text(str(clients[0].pid))
    watched = Watched()
    following = asyncio.create_task(watched.follow())
    try:
        await asyncio.sleep(0.3)
        assert not watched.left and (tmux / "asked").read_text().count("asked") == 1
        clients[0].kill()
        clients[0].wait()
        assert await noticed_s(watched, left=True) < 4 * LOOK_S, "without it: when the second is over"
        (tmux / "client").write_text(str(clients[1].pid))
        await noticed_s(watched, left=False)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        for client in clients:
            client.kill()
            client.wait()
