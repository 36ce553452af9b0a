"""From a key press in the console's terminal to the robot worker's changed command, with the learner training.

A real console runs on a pseudo-terminal, its keys are typed there, and the robot worker's own time stamp of the
change is read back through the station. Both clocks are the machine's monotonic one.

    python -m benchmarks.latency --presses 100
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.on_pty import ProgramOnPty
from tests.station.console import Console
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model.events import Driver

KEYS = (b"\x1b[A", b"\x1b[B")  # up and down: +x and -x, so that the arm stays in the middle of its box
WANTED_MEDIAN_MS, WANTED_P99_MS = 50.0, 100.0


async def measure(folder: Path, presses: int) -> list[float]:
    """Milliseconds of each press."""
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
        return await type_keys(watcher, console, presses)
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
    await watcher.send(c.Intervene(False))
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presses", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        delays = sorted(asyncio.run(measure(Path(folder), args.presses)))
    median, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{'key press to robot command':32}{'ms':>8}{'of wanted':>11}")
    print(f"{'median':32}{median:8.1f}{median / WANTED_MEDIAN_MS:11.2f}")
    print(f"{'p99':32}{p99:8.1f}{p99 / WANTED_P99_MS:11.2f}")
    print(f"{'largest of ' + str(len(delays)):32}{delays[-1]:8.1f}")


if __name__ == "__main__":
    main()
