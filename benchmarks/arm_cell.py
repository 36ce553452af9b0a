"""A robot worker and its guardian on an emulated arm, with a station and an actor that a program plays."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from tests.emulators.bus import emulated_bus
from workers.actor.environment import ArmUnavailable
from workers.actor.realtime import RealtimeArm
from workers.config import Config
from workers.model.events import Event, GateMode, LogLine
from workers.robot.board import Board, frame_dtype
from workers.station.crew import crew
from workers.station.handle import WorkerHandle
from workers.station.word import StationWord

SPAWN = multiprocessing.get_context("spawn")
CAMERA = "front"
PERIOD_S = 0.1


class ArmCell:
    """Processes and memory of one arm. The actor is a process that swings a joint to and fro at 10 Hz."""

    def __init__(self, bus: Any, config: Config, folder: Path) -> None:
        self.bus, self.config = bus, config
        self.board = Board.create(SPAWN, {CAMERA: (8, 8)})
        self.word = StationWord(self.board.word)
        self.word.confirm()
        self.events: list[tuple[float, Event]] = []
        wanted = ("robot", "guardian")
        self.handles = {
            spec.name: WorkerHandle(spec, SPAWN, folder, self._hear, lambda name: None)
            for spec in crew(config, self.board)
            if spec.name in wanted
        }
        self._keepers = [asyncio.create_task(handle.keep_running()) for handle in self.handles.values()]
        self._voice = asyncio.create_task(self._speak())
        self._helpers: dict[str, BaseProcess] = {}

    async def _speak(self) -> None:
        while True:
            self.word.speak()
            await asyncio.sleep(0.1)

    def _hear(self, event: Event) -> None:
        self.events.append((time.monotonic(), event))

    @property
    def said(self) -> str:
        return "\n".join(event.text for _, event in self.events if isinstance(event, LogLine))

    @property
    def state(self) -> Any:
        """The board's ARM_STATE; None before the robot worker's first tick."""
        read = self.board.arm.read()
        return None if read is None else read[1]

    @property
    def mode(self) -> GateMode:
        return GateMode(self.state["mode"].decode())

    @property
    def guarded(self) -> Any:
        """What the guardian says, a GUARDED."""
        read = self.board.guarded.read()
        return None if read is None else read[1]

    async def until(
        self, condition: Callable[[], bool], limit_s: float = 30.0, step_s: float = 0.001
    ) -> float:
        """When the condition came true, on the monotonic clock. Raises TimeoutError."""
        until_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > until_s:
                raise TimeoutError(f"{self.state['reason']!r}; {self.said}")
            await asyncio.sleep(step_s)
        return time.monotonic()

    async def begin(self) -> None:
        """Until the arm follows the actor."""
        await self.until(lambda: self.state is not None and not self.state["barred"])
        await self.until(lambda: self.guarded is not None)
        self.start("camera", see)
        self.start("actor", swing)
        await self.until(lambda: self.mode is GateMode.ENGAGED and self.state["reset_done"] > 0, 60.0)
        await asyncio.sleep(4.0)  # until it moves at full speed

    async def again(self) -> None:
        """After a stop: acknowledged, and the arm follows a new actor."""
        self.stop_helpers()
        self.word.clear()
        await self.until(lambda: self.mode is GateMode.HOLD)
        await self.begin()

    def start(self, name: str, target: Callable[[Board], None]) -> None:
        process = SPAWN.Process(target=target, args=(self.board,), daemon=True)
        process.start()
        self._helpers[name] = process

    def pid(self, name: str) -> int:
        if name in self._helpers:
            return self._helpers[name].pid or 0
        return self.handles[name].pid

    def stop_helpers(self) -> None:
        for process in self._helpers.values():
            process.kill()
            process.join()
        self._helpers.clear()

    async def close(self) -> None:
        """As a station does: the actor first, then the arm parks."""
        self.stop_helpers()
        await asyncio.gather(*(handle.stop() for handle in self.handles.values()))
        self._voice.cancel()
        await asyncio.wait(self._keepers, timeout=2.0)


@asynccontextmanager
async def arm_cell(
    configure: Callable[[Any], Config], folder: Path, **options: Any
) -> AsyncIterator[ArmCell]:
    """An emulated arm with everything around it; `configure` makes its configuration from the emulator."""
    with emulated_bus(**options) as bus:
        cell = ArmCell(bus, configure(bus), folder)
        try:
            yield cell
        finally:
            await cell.close()


def see(board: Board) -> None:
    """A camera of 30 Hz."""
    frame = np.zeros((), frame_dtype(8, 8))
    while True:
        frame["captured_ns"] = time.monotonic_ns()
        board.frames[CAMERA].write(frame)
        time.sleep(1 / 30)


def swing(board: Board) -> None:
    """An actor: looks, decides, sends; as `EpisodeRunner` does it."""
    arm = RealtimeArm(board, {CAMERA: (8, 8)}, {CAMERA: 30.0}, lambda: True)
    began_s: float | None = None
    while True:
        try:
            if began_s is None:
                arm.reset(0)
                began_s, start = time.monotonic(), arm.read().joints_deg
            arm.frames()
            target = start.copy()
            phase_s = time.monotonic() - began_s
            target[0] += 20.0 * np.sin(2.0 * phase_s)  # 40 degrees/s at most
            arm.send(target)
        except ArmUnavailable:
            began_s = None
        time.sleep(PERIOD_S)
