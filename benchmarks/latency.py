"""From a key press in the console's terminal to the robot worker's changed command, with the learner training.

A real console runs on a pseudo-terminal, its keys are typed there, and the robot worker's own time stamp of the
change is read back through the station. Both clocks are the machine's monotonic one. Then the terminal falls silent
while a person drives, several times over, and the console is killed and attached again.

Episodes end every 4 s here, and then the arm goes to its start, where it takes no keys: presses on whose heels an
episode ended are counted apart. Any other press after which nothing moved is lost, and a line says so.
(Until November 2026 such presses, and those while the arm's posture still settled behind the one before, were taken
for late by however long it took until anything else moved: up to 2 s, or less than nothing.)

    python -m benchmarks.latency --presses 100
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.on_pty import ProgramOnPty
from tests.station.console import Console
from workers.config.ready import ready_config
from workers.model.events import Driver

KEYS = (b"\x1b[A", b"\x1b[B")  # up and down: +x and -x, so that the arm stays in the middle of its box
WANTED_MEDIAN_MS, WANTED_P99_MS, WANTED_RELEASED_S, WANTED_ATTACHED_S = 50.0, 100.0, 0.6, 1.0
MOVES_WITHIN_S = 2.0


class Pressed(NamedTuple):
    """Key presses, and what became of them."""

    delays_ms: list[float]
    at_an_end: int  # of an episode
    lost: int


class Measured(NamedTuple):
    pressed: Pressed
    released_s: list[float]  # from the terminal's last answer to the arm being given back
    attached_s: float  # from the start of another console to the state of the run on its screen


async def measure(folder: Path, presses: int, silences: int) -> Measured:
    config = folder / "latency.toml"
    config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"'))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "TERM": "xterm-256color"}
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    command = [sys.executable, "-m", "workers.cli", "station", "--config", str(config)]
    attach = [sys.executable, "-m", "hilserl_tui.cli", "attach", "sim_pick_lift"]
    station = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    console = None
    try:
        watcher = await Console.attach(folder / "sim_pick_lift")
        while watcher.state.learner.updates < 50:
            await watcher.next_batch()
        console = ProgramOnPty(attach, environment)
        await asyncio.sleep(3)
        console.press(b"g")  # the watcher came first and holds the controls
        await asyncio.sleep(1)
        pressed = await type_keys(watcher, console, presses)
        released_s = [await fall_silent(watcher, console) for _ in range(silences)]
        os.kill(console.console_pid, signal.SIGKILL)
        console.close()
        console = ProgramOnPty(attach, environment)
        return Measured(pressed, released_s, console.until(b"POLICY", b"HUMAN", b"SCRIPT", b"HOLD"))
    finally:
        if console is not None:
            console.close()
        station.terminate()
        station.wait(10)


async def take_over(watcher: Console, console: ProgramOnPty) -> None:
    console.press(b" ")
    while watcher.state.control.driver is not Driver.HUMAN:
        await watcher.next_batch()


async def listen(watcher: Console, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await watcher.next_batch()


async def type_keys(watcher: Console, console: ProgramOnPty, presses: int) -> Pressed:
    await take_over(watcher, console)
    delays, at_an_end, lost = [], 0, 0
    for number in range(presses):
        await listen(watcher, random.uniform(0.35, 0.6))
        episode = watcher.state.running.episode
        pressed_s = console.press(KEYS[number // 2 % 2])
        while watcher.state.arm.moving_since_s < pressed_s and time.monotonic() < pressed_s + MOVES_WITHIN_S:
            await watcher.next_batch()
        if watcher.state.running.episode != episode:
            at_an_end += 1
        elif watcher.state.arm.moving_since_s < pressed_s:
            lost += 1
        else:
            delays.append((watcher.state.arm.moving_since_s - pressed_s) * 1e3)
    return Pressed(delays, at_an_end, lost)


async def fall_silent(watcher: Console, console: ProgramOnPty) -> float:
    """Seconds until a person whose terminal answers no question has the arm no more. Then they take it again."""
    while watcher.state.control.driver is not Driver.HUMAN:
        await watcher.next_batch()
    await asyncio.sleep(random.uniform(0.0, 0.1))
    console.answers = False
    while watcher.state.control.driver is Driver.HUMAN or watcher.state.control.taken:
        await watcher.next_batch()
    released_s = time.monotonic() - console.answered_s
    console.answers = True
    await listen(watcher, 2.5)  # until unanswered questions are given up
    await take_over(watcher, console)
    await listen(watcher, 1.0)
    return released_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--silences", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(measure(Path(folder), args.presses, args.silences))
    delays, released_ms = sorted(measured.pressed.delays_ms), sorted(1e3 * s for s in measured.released_s)
    print(f"{'key press to robot command':32}{'ms':>8}{'of wanted':>11}")
    line("median", delays[len(delays) // 2], WANTED_MEDIAN_MS)
    line("p99", delays[int(len(delays) * 0.99)], WANTED_P99_MS)
    line(f"largest of {len(delays)}", delays[-1], WANTED_P99_MS)
    print(f"{'at an end of an episode':32}{measured.pressed.at_an_end:8}")
    print(f"{'lost':32}{measured.pressed.lost:8}")
    if released_ms:
        line("terminal silent, arm released", released_ms[len(released_ms) // 2], WANTED_RELEASED_S * 1e3)
        line(f"largest of {len(released_ms)}", released_ms[-1], WANTED_RELEASED_S * 1e3)
    line("console killed, attached again", measured.attached_s * 1e3, WANTED_ATTACHED_S * 1e3)


def line(what: str, ms: float, wanted_ms: float) -> None:
    print(f"{what:32}{ms:8.1f}{ms / wanted_ms:11.2f}")


if __name__ == "__main__":
    main()
