"""The training recipe: demonstrations, then training, with an evaluation whenever the policy looks ready."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from workers.config import Config
from workers.model.events import (
    Collected,
    EpisodeEnded,
    EpisodeKind,
    Event,
    Level,
    LogLine,
    Phase,
    PhaseChanged,
    RunEnded,
    WorkerState,
)
from workers.model.orders import Attend, Collect, Learn, Order
from workers.model.select import WINDOW, autonomous_success, training_episodes
from workers.model.state import ConsoleState

EPISODES_BETWEEN_EVALUATIONS = 20
EPISODES_AFTER_A_PASS = 100  # a console run goes on training; it need not be examined all the time
LEAST_ATTENDANCE = 0.1  # the scripted person looks in now and then, however good the policy is
FIRST_ATTENDANCE = 0.8


class StationPort(Protocol):
    """What a recipe needs of the station."""

    @property
    def state(self) -> ConsoleState: ...
    def emit(self, event: Event) -> None: ...
    def stand(self, worker: str, order: Order) -> None:
        """Give an order, and give it again whenever the worker restarts."""

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at after every event."""


class TrainRecipe:
    """Runs until `until_success` is proven in an evaluation, or for ever when it is None."""

    def __init__(self, station: StationPort, config: Config, until_success: float | None) -> None:
        self._station = station
        self._config = config
        self._until_success = until_success
        self._collected: Collected | None = None
        self._evaluation_asked = False
        self._trained = 0  # episodes of training since the run was opened
        self._next_evaluation_at = 0

    def on_event(self, event: Event) -> None:
        """Take note of what a recipe waits for."""
        if isinstance(event, Collected):
            self._collected = event
        elif isinstance(event, EpisodeEnded) and event.kind is EpisodeKind.TRAINING:
            self._trained += 1

    def evaluate_now(self) -> None:
        self._evaluation_asked = True

    async def run(self) -> RunEnded:
        """The whole recipe; returns how it ended. Raises asyncio.CancelledError when the run is shut down."""
        failure = asyncio.create_task(self._until_a_worker_failed())
        work = asyncio.create_task(self._work())
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

    async def _work(self) -> RunEnded:
        station = self._station
        station.emit(PhaseChanged(Phase.STARTING, "workers are starting"))
        await station.wait_for(self._all_running)
        station.stand("learner", Learn(True))
        if self._config.operator.demonstrations:
            await self._record()
        station.stand("learner", Learn(True, all_demonstrated=True))
        while True:
            await self._train()
            passed, rate = await self._evaluate()
            if passed and self._until_success is not None:
                return RunEnded(f"autonomous success {rate:.0%} in the evaluation", succeeded=True)

    def _all_running(self) -> bool:
        workers = self._station.state.workers.values()
        return bool(workers) and all(w.state is WorkerState.RUNNING for w in workers)

    async def _record(self) -> None:
        wanted = self._config.operator.demonstrations
        await self._collect(
            Collect(EpisodeKind.DEMONSTRATION, wanted), Phase.RECORDING, "recording demonstrations"
        )

    async def _train(self) -> None:
        station = self._station
        station.emit(PhaseChanged(Phase.TRAINING, "learning on the arm"))
        station.stand("actor", Attend(self._attendance()))
        station.stand("actor", Collect(EpisodeKind.TRAINING))
        while not (self._evaluation_asked or self._ready()):
            await self._next_episode(self._trained)
            station.stand("actor", Attend(self._attendance()))
        self._evaluation_asked = False

    async def _next_episode(self, seen: int) -> None:
        """Until one more episode of training ended, or somebody asked for an evaluation."""
        await self._station.wait_for(lambda: self._evaluation_asked or self._trained > seen)

    def _ready(self) -> bool:
        state = self._station.state
        episodes = training_episodes(state)
        rate = autonomous_success(episodes)
        if len(episodes) < WINDOW or rate is None or rate < self._config.evaluation.start_at_success:
            return False
        return self._trained >= self._next_evaluation_at

    def _attendance(self) -> float:
        """How often the scripted person supervises: as often as the policy needs it."""
        episodes = training_episodes(self._station.state)
        if len(episodes) < WINDOW // 2:
            return FIRST_ATTENDANCE
        return min(FIRST_ATTENDANCE, max(LEAST_ATTENDANCE, 1.0 - (autonomous_success(episodes) or 0.0)))

    async def _evaluate(self) -> tuple[bool, float]:
        """(passed, success rate) of the newest policy, alone and deterministic."""
        total = self._config.evaluation.episodes
        target = self._until_success if self._until_success is not None else 0.9
        failures_allowed = int(total * (1.0 - target) + 1e-9)
        give_up = failures_allowed + 1 if self._until_success is not None else 0
        order = Collect(EpisodeKind.EVALUATION, total, give_up_after=give_up)
        await self._collect(order, Phase.EVALUATING, "the policy alone, deterministic")
        result = self._station.state.evaluation
        rate = result.successes / result.trials if result and result.trials else 0.0
        if result is not None:
            text = f"evaluation of policy {result.policy_version}: {result.successes} of {result.trials} succeeded"
            self._station.emit(LogLine("station", Level.INFO, text, time.time()))
        passed = result is not None and result.trials == total and rate >= target
        pause = EPISODES_AFTER_A_PASS if passed else EPISODES_BETWEEN_EVALUATIONS
        self._next_evaluation_at = self._trained + pause
        return passed, rate

    async def _collect(self, order: Collect, phase: Phase, detail: str) -> None:
        self._collected = None
        self._station.emit(PhaseChanged(phase, detail, 0, order.episodes))
        self._station.stand("actor", order)
        finished = False
        while not finished:
            await self._station.wait_for(lambda: self._collected is not None)
            seen, self._collected = self._collected, None
            if seen is not None and seen.kind is order.kind:
                self._station.emit(PhaseChanged(phase, detail, seen.done, seen.total))
                finished = seen.finished
