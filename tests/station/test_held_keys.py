"""A key of the console's terminal that is held: the arm moves, and stops by itself whatever becomes of the console.

A whole run with its real processes, and a real console on a pseudo-terminal that tells releases.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.console.test_driver import CONSOLE
from tests.console.test_hold_console import KEYS, KittyTerm
from tests.station.console import Console
from tests.station.test_find_limits import started, task_file
from tests.station.test_run import until
from workers.model import commands as c
from workers.model import events as e
from workers.model.places import socket_path
from workers.teleop.device import FRESH_NS

PERIOD_S = 0.1
SERVO_LAG_S = 0.15  # of the simulated arm behind its goal, and the age of a sample
STILL_M = 1e-3
KEYS["right"] = ("", "1", "C")


async def watched(console: Console, seconds: float) -> list[tuple[float, float]]:
    """(when it was measured, y of the tool in metres) of every sample that comes meanwhile."""
    samples: list[tuple[float, float]] = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await console.next_batch()
        arm = console.state.arm
        if not samples or arm.at_s > samples[-1][0]:
            samples.append((arm.at_s, arm.ee_m[1]))
    return samples


async def takes_the_arm(console: Console, term: KittyTerm) -> None:
    """The console's person, by its own keys."""
    term.press(b"\x1b[103;;103u\x1b[103;1:3u")  # g
    await until(console, lambda: console.state.control.holder == "me", 10)
    term.press(b"\x1b[32;;32u\x1b[32;1:3u")  # space
    await until(console, lambda: console.state.control.driver is e.Driver.HUMAN, 20)
    await watched(console, 0.3)  # until the console knows too


async def moved(console: Console, term: KittyTerm, key: str) -> float:
    """Hold a key until the arm has moved by 2 cm; how far."""
    from_m = console.state.arm.ee_m[1]
    term.down(key)
    await until(console, lambda: abs(console.state.arm.ee_m[1] - from_m) > 0.02, 10)
    return abs(console.state.arm.ee_m[1] - from_m)


def assert_still(samples: list[tuple[float, float]], since_s: float) -> None:
    """The arm moved on after `since_s` for no longer than a word is valid, and a period."""
    limit_s = since_s + FRESH_NS / 1e9 + PERIOD_S + SERVO_LAG_S
    after = [y for at, y in samples if at > limit_s]
    assert len(after) >= 5
    assert max(after) - min(after) < STILL_M, samples


@pytest.mark.timeout(150)
async def test_the_arm_stops_by_itself_when_the_console_hangs_or_dies_with_a_key_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    run_dir = tmp_path / "sim_pick_lift-limits"
    run = started(task_file(tmp_path), "--operator=person", "--warmup-s=0", "--serve")
    term = None
    try:
        console = await Console.attach(run_dir, limit_s=60.0)
        await console.send(c.StartRun())
        await until(console, lambda: "space takes the arm" in console.state.control.reason)
        term = KittyTerm(socket_path(run_dir), CONSOLE)
        await until(console, lambda: console.state.control.attached == 2, 20)
        await watched(console, 0.7)
        await takes_the_arm(console, term)

        assert await moved(console, term, "left") > 0.02
        released_s = term.up("left")
        assert_still(await watched(console, 1.2), released_s)
        assert console.state.control.driver is e.Driver.HUMAN

        await moved(console, term, "right")
        os.kill(term.process.pid, signal.SIGSTOP)  # its connections stay open: nobody hears that it is gone
        hung_s = time.monotonic()
        assert_still(await watched(console, 1.2), hung_s)
        await until(console, lambda: console.state.control.driver is e.Driver.NOBODY, 5)
        os.kill(term.process.pid, signal.SIGCONT)
        back_s = time.monotonic()
        assert_still(await watched(console, 1.2), back_s - 1.0)  # the key is down: it must be pressed anew

        term.up("right")
        await takes_the_arm(console, term)
        await moved(console, term, "left")
        term.process.kill()
        killed_s = time.monotonic()
        assert_still(await watched(console, 1.2), killed_s)
        await until(console, lambda: console.state.control.driver is e.Driver.NOBODY, 5)
    finally:
        if term is not None:
            term.close()
        run.kill()
