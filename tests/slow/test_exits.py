"""Nine ways out of a run on an emulated arm: none leaves it limp in the air, or with torque that nobody was told of.

The ninth, an exception, is in tests/robot/test_servo_body.py.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.emulators.bus import emulated_bus
from tests.robot.emulated import seen, write_configuration
from tests.station.console import Console
from workers.config.safety import SafetyConfig
from workers.model import commands as c
from workers.model.events import GateMode
from workers.model.state import ConsoleState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
REST = np.array(SafetyConfig().rest_pose)
IN_THE_AIR = (10.0, -30.0, 20.0, 80.0, 0.0, 40.0)
LIMIT_S = 60.0


class ArmRun:
    """A station that looks for limits on an emulated arm, and a console at it."""

    def __init__(self, folder: Path, bus: Any) -> None:
        self.folder, self.bus = folder, bus
        config = write_configuration(folder / "arm.toml", bus, folder)
        command = [sys.executable, "-m", "workers.cli", "find-limits", "--config", str(config), "--serve"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)}
        with (folder / "out.txt").open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, cwd=ROOT, start_new_session=True
            )
        self.console: Console | None = None

    @property
    def state(self) -> ConsoleState:
        assert self.console is not None
        return self.console.state

    @property
    def said(self) -> str:
        return (self.folder / "out.txt").read_text()

    async def begin(self) -> None:
        """Until the arm may be driven."""
        (run_dir,) = [self.folder / name for name in ("sim_pick_lift-limits",)]
        self.console = await Console.attach(run_dir, LIMIT_S)
        await self.until(lambda: self.state.arm.unconfirmed)
        await self.console.send(c.StartRun())
        await self.console.send(c.ConfirmMotion())
        await self.until(lambda: not self.state.arm.unconfirmed and "actor" in self.state.workers)
        await self.until(lambda: self.state.running.episode >= 0)

    async def until(self, condition: Callable[[], bool]) -> None:
        assert self.console is not None
        until_s = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < until_s, (self.state.arm, self.state.log[-5:], self.said)
            await self.console.next_batch()

    async def ended(self) -> None:
        self.leave_console()
        until_s = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < until_s, self.said
            await asyncio.sleep(0.05)

    def leave_console(self) -> None:
        """As by SIGKILL of the console: its socket closes, and its lease with it."""
        if self.console is not None:
            self.console._lease.cancel()
            self.console._writer.transport.abort()
            self.console = None


Exit = Callable[[ArmRun], Awaitable[None]]


async def quits(run: ArmRun) -> None:
    assert run.console is not None
    await run.console.send(c.ShutDown())


def by_signal(number: signal.Signals, times: int = 1) -> Exit:
    async def leave(run: ArmRun) -> None:
        for _ in range(times):
            run.process.send_signal(number)
            await asyncio.sleep(0.5)

    return leave


async def console_killed(run: ArmRun) -> None:
    """The run goes on without it; ended then from outside."""
    run.leave_console()
    await asyncio.sleep(2.0)
    assert run.process.poll() is None
    assert all(seen(run.bus).torque), "the arm holds meanwhile"
    run.process.send_signal(signal.SIGTERM)


async def robot_killed(run: ArmRun) -> None:
    before = seen(run.bus).joints_deg
    os.kill(run.state.workers["robot"].pid, signal.SIGKILL)
    await run.until(lambda: "guardian" in run.state.arm.reason and run.state.arm.mode is GateMode.STOPPED)
    assert np.abs(seen(run.bus).joints_deg - before)[:5].max() < 3.5
    assert "the guardian holds the arm" in run.said
    run.process.send_signal(signal.SIGTERM)


async def unplugged(run: ArmRun) -> None:
    run.bus.unplug()
    await run.until(lambda: "still powered" in run.state.arm.reason)
    run.process.send_signal(signal.SIGTERM)


PARKED, LEFT = "parked; torque off", "its torque is ON"
WAYS: list[tuple[str, Exit, str]] = [
    ("quit", quits, PARKED),
    ("sigint", by_signal(signal.SIGINT), PARKED),
    ("sigint five times", by_signal(signal.SIGINT, 5), LEFT),
    ("sigterm", by_signal(signal.SIGTERM), PARKED),
    ("sighup", by_signal(signal.SIGHUP), PARKED),
    ("sigkill of the console", console_killed, PARKED),
    ("sigkill of the robot worker", robot_killed, PARKED),
    ("unplug", unplugged, "arm still powered"),
]


@pytest.mark.parametrize(("leave", "words"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
async def test_a_way_out(leave: Exit, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with emulated_bus(pose_deg=IN_THE_AIR) as bus:
        run = ArmRun(tmp_path, bus)
        try:
            await run.begin()
            await leave(run)
            await run.ended()
        finally:
            run.leave_console()
            run.process.kill()
        assert words in run.said
        arm = seen(bus)
        if words == PARKED:
            assert not any(arm.torque)
            assert np.abs(arm.joints_deg - REST)[:5].max() < 8.0, (
                "in its rest pose, less what it sinks without torque"
            )
        else:
            assert all(arm.torque), "not limp in the air"
