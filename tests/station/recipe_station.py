"""A station for recipes: folds what it is told, keeps what is ordered, and has no workers."""

import asyncio
from collections.abc import Callable

from workers.config import Config
from workers.model import events as e
from workers.model.orders import Collect, Order
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.processors.transition import Picture
from workers.station.recipes import recipe_of
from workers.station.survey import Place, SurveyJob

WORKERS = ("robot", "camera-front", "camera-side", "actor", "learner")


class FakeStation:
    """Folds events as the station does, and keeps the standing orders."""

    def __init__(self, config: Config, until_success: float | None, survey: SurveyJob | None = None) -> None:
        self.state = ConsoleState()
        self.orders: list[tuple[str, Order]] = []
        self._changed = asyncio.Event()
        self.at: Place | None = None
        self.looks = 0
        self.seen: dict[str, Picture] = {}
        self.recipe = recipe_of(self, config, until_success, survey)
        self.task = asyncio.create_task(self.recipe.run())

    def emit(self, event: e.Event) -> None:
        self.state = reduce(self.state, event)
        self.recipe.on_event(event)
        self._changed.set()

    def stand(self, worker: str, order: Order) -> None:
        self.orders.append((worker, order))

    def pictures(self) -> dict[str, Picture]:
        return self.seen

    def place(self) -> Place | None:
        self.looks += 1
        return self.at

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    def collecting(self) -> Collect:
        return next(order for _, order in reversed(self.orders) if isinstance(order, Collect))

    async def start(self, workers: tuple[str, ...] = WORKERS) -> None:
        for worker in workers:
            self.emit(e.WorkerChanged(worker, e.WorkerState.RUNNING))
        await self.settle()

    async def train(self, first: int, count: int, success: bool, by_human: int = 0) -> None:
        for episode in range(first, first + count):
            self.emit(e.EpisodeStarted(episode, e.EpisodeKind.TRAINING))
            ended_by = e.EndedBy.SUCCESS if success else e.EndedBy.TIME_LIMIT
            self.emit(e.EpisodeEnded(episode, e.EpisodeKind.TRAINING, 1.0, 10, by_human, 0, ended_by, 1.0))
            await self.settle()

    async def collected(self, kind: e.EpisodeKind, done: int, total: int) -> None:
        self.emit(e.Collected(kind, done, total, finished=done == total))
        await self.settle()

    async def evaluated(self, successes: int, trials: int, total: int = 50) -> None:
        self.emit(e.EvaluationProgress(successes, trials, total, 9, finished=True))
        self.emit(e.Collected(e.EpisodeKind.EVALUATION, trials, total, finished=True))
        await self.settle()
