"""What every recipe is: orders to the workers and waiting for what they tell, until the run ends or a worker fails."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from workers.config import Config
from workers.model.commands import Command
from workers.model.events import (
    ClassifierExamined,
    Collected,
    Event,
    Level,
    LogLine,
    Phase,
    PhaseChanged,
    RunEnded,
    WorkerState,
)
from workers.model.orders import Collect, Examine, Order
from workers.model.state import ConsoleState
from workers.processors.transition import Picture
from workers.station.recipes.examination import RESET_FRAMES, refusal
from workers.station.survey import Place


class StationPort(Protocol):
    """What a recipe needs of the station."""

    @property
    def state(self) -> ConsoleState: ...
    def emit(self, event: Event) -> None: ...
    def stand(self, worker: str, order: Order) -> None:
        """Give an order, and give it again whenever the worker restarts."""

    def place(self) -> Place | None:
        """Where the arm is now; None while nobody knows."""

    def pictures(self) -> dict[str, Picture]:
        """The newest picture of each camera, uint8 [H, W, 3]."""

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at after every event."""


class Recipe(ABC):
    """A run from its first order to its end."""

    def __init__(self, station: StationPort, config: Config) -> None:
        self._station = station
        self._config = config
        self._collected: Collected | None = None
        self._examined: ClassifierExamined | None = None

    @abstractmethod
    async def _work(self) -> RunEnded:
        """What is done once every worker runs; returns how it ended."""

    def on_event(self, event: Event) -> None:
        """Take note of what a recipe waits for."""
        if isinstance(event, Collected):
            self._collected = event
        elif isinstance(event, ClassifierExamined):
            self._examined = event

    def opened(self) -> None:  # noqa: B027, most have nothing to say
        """The run is open; say what a person should know before it begins."""

    def change(self, config: Config) -> None:
        """Go on with settings that are other ones now."""
        self._config = config

    def evaluate_now(self) -> None:
        """The operator asks for an evaluation of the policy."""
        self._note("this run has no policy to evaluate")

    def take(self, command: Command) -> None:
        """A wish of the operator that only some recipes know."""
        self._note("this run does not look for the workspace: hilserl-tui find-limits does")

    async def run(self) -> RunEnded:
        """The whole recipe; returns how it ended. Raises asyncio.CancelledError when the run is shut down."""
        failure = asyncio.create_task(self._until_a_worker_failed())
        work = asyncio.create_task(self._start())
        try:
            done, _ = await asyncio.wait({failure, work}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work in done else failure.result()
        finally:
            failure.cancel()
            work.cancel()

    async def _until_a_worker_failed(self) -> RunEnded:
        await self._station.wait_for(lambda: bool(self._failed()))
        worker, reason = self._failed()[0]
        return RunEnded(f"{worker} failed: {reason}", succeeded=False, failed=True)

    def _failed(self) -> list[tuple[str, str]]:
        workers = self._station.state.workers.values()
        return [(w.name, w.reason) for w in workers if w.state is WorkerState.FAILED]

    async def _start(self) -> RunEnded:
        self._station.emit(PhaseChanged(Phase.STARTING, "workers are starting"))
        await self._station.wait_for(self._all_running)
        return await self._work()

    def _all_running(self) -> bool:
        workers = self._station.state.workers.values()
        return bool(workers) and all(w.state is WorkerState.RUNNING for w in workers)

    async def _collect(self, order: Collect, phase: Phase, detail: str, before: int = 0) -> None:
        """Have the actor run the episodes of an order, and wait until it is fulfilled.

        `before` of them were there already, and are not counted in what is told.
        """
        self._collected = None
        self._station.emit(PhaseChanged(phase, detail, 0, order.episodes - before))
        self._station.stand("actor", order)
        finished = False
        while not finished:
            await self._station.wait_for(lambda: self._collected is not None)
            seen, self._collected = self._collected, None
            if seen is not None and seen.kind is order.kind:
                self._station.emit(PhaseChanged(phase, detail, seen.done - before, seen.total - before))
                finished = seen.finished

    async def _examine(self) -> RunEnded | None:
        """Have the classifier asked about reset frames; the end of the run if it fires there."""
        used = self._config.env.processor.reward_classifier
        if used is None or used.is_stand_in or not used.decides:
            return None
        what = f"the reward classifier is asked about {RESET_FRAMES} frames right after a reset"
        self._station.emit(PhaseChanged(Phase.STARTING, what))
        self._station.stand("actor", Examine(RESET_FRAMES))
        await self._station.wait_for(lambda: self._examined is not None)
        self._station.stand("actor", Examine(0))  # an actor that starts again goes on with the run
        assert self._examined is not None
        return refusal(self._examined)

    def _note(self, text: str) -> None:
        self._station.emit(LogLine("station", Level.INFO, text, time.time()))
