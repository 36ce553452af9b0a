"""From a key press in the console's terminal to the robot worker's changed command, with the learner training.

A real console runs on a pseudo-terminal, its keys are typed there, and the robot worker's own time stamp of the
change is read back through the station. Both clocks are the machine's monotonic one. Then the terminal falls silent
while a person drives, and the console is killed and attached again.

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
WANTED_MEDIAN_MS, WANTED_P99_MS = 50.0, 100.0


class Measured(NamedTuple):
    keys_ms: list[float]
    released_s: float  # from the terminal's last answer to the arm being given back
    attached_s: float  # from the start of another console to the state of the run on its screen


async def measure(folder: Path, presses: int) -> Measured:
    config = folder / "latency.toml"
    config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"'))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "TERM": "xterm-256color"}
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    command = [sys.executable, "-m", "workers.cli", "station", "--config", str(config)]
    station = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    console = None
    try:
        watcher = await Console.attach(folder / "sim_pick_lift")
        while watcher.state.learner.updates < 50:
            await watcher.next_batch()
        console = ProgramOnPty(
            [sys.executable, "-m", "hilserl_tui.cli", "attach", "sim_pick_lift"], environment
        )
        await asyncio.sleep(3)
        delays = await type_keys(watcher, console, presses)
        released_s = await fall_silent(watcher, console)
        os.kill(console.console_pid, signal.SIGKILL)
        console.close()
        console = ProgramOnPty(
            [sys.executable, "-m", "hilserl_tui.cli", "attach", "sim_pick_lift"], environment
        )
        return Measured(delays, released_s, console.until(b"POLICY", b"HUMAN", b"SCRIPT", b"HOLD"))
    finally:
        if console is not None:
            console.close()
        station.terminate()
        station.wait(10)


async def type_keys(watcher: Console, console: ProgramOnPty, presses: int) -> list[float]:
    console.press(b"g")  # the watcher came first and holds the controls
    await asyncio.sleep(1)
    console.press(b" ")
    while watcher.state.control.driver is not Driver.HUMAN:
        await watcher.next_batch()
    delays = []
    for number in range(presses):
        until_s = time.monotonic() + random.uniform(0.35, 0.6)
        while time.monotonic() < until_s:
            await watcher.next_batch()
        pressed_s = console.press(KEYS[number // 2 % 2])
        while watcher.state.arm.moving_since_s < pressed_s and time.monotonic() < pressed_s + 2:
            await watcher.next_batch()
        delays.append((watcher.state.arm.moving_since_s - pressed_s) * 1e3)
    return delays


async def fall_silent(watcher: Console, console: ProgramOnPty) -> float:
    """Seconds until the arm is not the person's any more whose terminal answers no question."""
    while watcher.state.control.driver is not Driver.HUMAN:
        await watcher.next_batch()
    console.answers = False
    silent_s = time.monotonic()
    while watcher.state.control.driver is Driver.HUMAN:
        await watcher.next_batch()
    return time.monotonic() - silent_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presses", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(measure(Path(folder), args.presses))
    delays = sorted(measured.keys_ms)
    median, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{'key press to robot command':32}{'ms':>8}{'of wanted':>11}")
    print(f"{'median':32}{median:8.1f}{median / WANTED_MEDIAN_MS:11.2f}")
    print(f"{'p99':32}{p99:8.1f}{p99 / WANTED_P99_MS:11.2f}")
    print(f"{'largest of ' + str(len(delays)):32}{delays[-1]:8.1f}")
    print(
        f"{'terminal silent, arm released':32}{measured.released_s * 1e3:8.0f}{measured.released_s / 0.6:11.2f}"
    )
    print(
        f"{'console killed, attached again':32}{measured.attached_s * 1e3:8.0f}{measured.attached_s / 1.0:11.2f}"
    )


if __name__ == "__main__":
    main()
