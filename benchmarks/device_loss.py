"""From the moment a person's device is gone to the arm at rest, while the person drives it.

The robot's and the actor's own processes on the simulated arm; the device is a writer in this one. `unplugged`: its
worker says that it is gone, as the gamepad's does at the first read that fails. `silent`: it says nothing any more.

    python -m benchmarks.device_loss --trials 20
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.config.teleop import TeleopConfig
from workers.model.events import EpisodeKind, Event, StepTaken
from workers.model.orders import Collect
from workers.robot.board import STATION_WORD, Board
from workers.station.crew import crew
from workers.station.handle import WorkerHandle
from workers.teleop.device import DeviceWriter

WATCH_S = 0.7
STILL_DEG_S = 5.0  # of any joint, measured; driven it does 40
WANTED_MS = {"unplugged": 100.0, "silent": 250.0}  # 150 ms of them are the device's own


class Cell:
    """Robot, actor, station's word and device."""

    def __init__(self, config: Config) -> None:
        context = multiprocessing.get_context("spawn")
        sizes = {name: (camera.height, camera.width) for name, camera in config.env.cameras.items()}
        self.board = Board.create(context, sizes)
        self.steps = 0
        self.device = DeviceWriter(self.board.teleop, "gamepad")
        self.says: Callable[[], None] = self.free
        self.handles = {
            spec.name: WorkerHandle(spec, context, config.run_dir, self._on_event, self._on_started)
            for spec in crew(config, self.board)
            if spec.name not in ("learner", "gamepad")
        }

    def held(self) -> None:
        """Up and down, so that the arm stays in its box."""
        up = 0.6 if time.monotonic() % 1.0 < 0.5 else -0.6
        self.device.write(True, np.array([0.0, 0.0, up]))

    def free(self) -> None:
        self.device.write(False, np.zeros(3))

    def unplugged(self) -> None:
        self.device.gone("unplugged")

    def silent(self) -> None:
        """Nothing."""

    async def speak(self) -> None:
        word = np.zeros((), STATION_WORD)
        while True:
            word["at_ns"] = time.monotonic_ns()
            self.board.word.write(word)
            self.says()
            await asyncio.sleep(0.01)

    def moves(self) -> bool:
        """Whether a joint moves."""
        read = self.board.arm.read()
        return read is not None and float(np.abs(read[1]["velocity"][:5]).max()) > STILL_DEG_S

    async def moving(self) -> None:
        """Until a new episode is under way."""
        begun, until_s = self.steps, time.monotonic() + 60.0
        while self.steps < begun + 5:
            assert time.monotonic() < until_s, "the arm is not driven"
            await asyncio.sleep(0.02)

    def _on_event(self, event: Event) -> None:
        self.steps += isinstance(event, StepTaken)

    def _on_started(self, name: str) -> None:
        if name == "actor":
            self.handles["actor"].give(Collect(EpisodeKind.DEMONSTRATION, 0))


async def trial(cell: Cell, how: Callable[[], None]) -> float:
    """Milliseconds from the loss to the last moment in which a joint moved."""
    cell.says = cell.held
    await cell.moving()
    await asyncio.sleep(random.uniform(0.0, 0.1))
    cell.says = how
    began_s = moved_s = time.monotonic()
    if how == cell.unplugged:
        cell.unplugged()
    while time.monotonic() - began_s < WATCH_S:
        if cell.moves():
            moved_s = time.monotonic()
        await asyncio.sleep(0.002)
    cell.says = cell.free
    await asyncio.sleep(0.5)
    return (moved_s - began_s) * 1e3


async def measure(folder: Path, trials: int) -> dict[str, list[float]]:
    config = load(ready_config())
    config = msgspec.structs.replace(
        config,
        run=msgspec.structs.replace(config.run, directory=str(folder), name="loss"),
        env=msgspec.structs.replace(config.env, teleop=TeleopConfig(type="gamepad")),
        operator=msgspec.structs.replace(config.operator, scripted=False),
    )
    config.run_dir.mkdir(parents=True)
    cell = Cell(config)
    keepers = [asyncio.create_task(handle.keep_running()) for handle in cell.handles.values()]
    speaking = asyncio.create_task(cell.speak())
    try:
        return {
            "unplugged": [await trial(cell, cell.unplugged) for _ in range(trials)],
            "silent": [await trial(cell, cell.silent) for _ in range(trials)],
        }
    finally:
        for handle in cell.handles.values():
            await handle.stop()
        for task in (speaking, *keepers):
            task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        found = asyncio.run(measure(Path(folder), trials))
    print("| device | arm at rest, median | greatest | wanted |\n|---|---|---|---|")
    for how, delays in found.items():
        middle = sorted(delays)[len(delays) // 2]
        print(f"| {how} | {middle:.0f} ms | {max(delays):.0f} ms | {WANTED_MS[how]:.0f} ms |")


if __name__ == "__main__":
    main()
