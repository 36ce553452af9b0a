"""The learner's station: keeps the ingest and the learner worker running and carries word between them.

learner -> progress, log lines      -> ingest, which reports them to every actor's station
learner -> a policy was laid down   -> ingest, which offers it
ingest  -> records are on the disk  -> learner, which reads them
ingest  -> what each actor wishes   -> learner: learn while any linked actor wants it; all is demonstrated
                                       once every linked one says so
ingest  -> an actor evaluated a policy -> learner, which keeps its best checkpoint by it
"""

import asyncio
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable

from workers.config import Config
from workers.learner.lockstep_place import own_place
from workers.model import events as e
from workers.model.orders import Invite, Learn, NewRecords, NoteSuccess, Order, TakePolicy, Tell
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.runtime.beginning import Beginning
from workers.station.crew import serving_crew
from workers.station.handle import WorkerHandle
from workers.station.journal import Journal

LAST_WORDS_S = 0.5  # for "stopped" of both workers to be written down
log = logging.getLogger(__name__)


class Wishes:
    """What the actors want of the learner, summed up."""

    def __init__(self) -> None:
        self._of: dict[str, e.LearnWished] = {}

    def note(self, event: e.LearnWished) -> None:
        self._of[event.actor_id] = event

    def keep_linked(self, event: e.ActorsSeen) -> None:
        """Forget actors that are gone, unless all are: then the last word stands until somebody is back."""
        linked = {actor.actor_id for actor in event.actors if actor.connected}
        if linked & self._of.keys():
            self._of = {actor: wish for actor, wish in self._of.items() if actor in linked}

    def order(self) -> Learn:
        wishes = self._of.values()
        done = bool(wishes) and all(wish.all_demonstrated for wish in wishes)
        newest = max((wish.newest_policy for wish in wishes), default=0)
        return Learn(any(wish.on for wish in wishes), all_demonstrated=done, newest_policy=newest)


class LearnerStation:
    """Serves one run to actors elsewhere, until it is told to end or a worker cannot go on.

    Args:
        listen: ADDRESS:PORT of the ingest worker.
        on_event: called with every event, after it was folded into `state`.
    """

    def __init__(
        self, config: Config, listen: str, beginning: Beginning, on_event: Callable[[e.Event], None]
    ) -> None:
        self.state = ConsoleState()
        self._on_event = on_event
        self._shutdown = asyncio.Event()
        self._failure = ""
        self._wishes = Wishes()
        self._standing: dict[tuple[str, type[Order]], Order] = {}
        context = multiprocessing.get_context("spawn")
        self._handles = {
            spec.name: WorkerHandle(spec, context, config.run_dir, self._fold, self._give_standing)
            for spec in serving_crew(config, listen, beginning)
        }
        self._journal = Journal(config.run_dir)
        self._standing["ingest", Invite] = Invite()  # tokens are its own memory: new ones whenever it starts

    async def run(self) -> str:
        """Serve until a signal ends it; returns why a worker could not go on, "" after an orderly end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._shutdown.set)
        keepers = [asyncio.create_task(handle.keep_running()) for handle in self._handles.values()]
        for keeper in keepers:
            keeper.add_done_callback(self._on_keeper_done)
        try:
            await self._shutdown.wait()
        finally:
            await asyncio.gather(*(handle.stop() for handle in self._handles.values()))
            await asyncio.wait(keepers, timeout=LAST_WORDS_S)
            for keeper, handle in zip(keepers, self._handles.values(), strict=True):
                keeper.cancel()
                handle.kill()
            self._journal.close()
        return self._failure

    def invite(self) -> None:
        """Have one more join line made; an ingest worker that is not there yet makes one when it starts."""
        self._handles["ingest"].give(Invite())

    def _stand(self, worker: str, order: Order) -> None:
        """Give an order, now and whenever the worker starts again; nothing when it stands already."""
        if self._standing.get((worker, type(order))) != order:
            self._standing[worker, type(order)] = order
            self._handles[worker].give(order)

    def _give_standing(self, worker: str) -> None:
        for (name, _), order in self._standing.items():
            if name == worker:
                self._handles[name].give(order)

    def _fold(self, event: e.Event) -> None:
        self.state = reduce(self.state, event)
        match event:
            case e.Recorded():
                self._handles["learner"].give(NewRecords())
            case e.PolicyPublished(version):
                self._stand("ingest", TakePolicy(version))
            case e.LearnWished():
                self._wishes.note(event)
                self._stand("learner", self._wishes.order())
            case e.Evaluated(version, successes, trials):
                self._stand("learner", NoteSuccess(version, successes, trials))
            case e.WorkerChanged():
                self._on_worker(event)
            case e.LearnerProgress() | e.BufferFilled() | e.LogLine(worker="learner"):
                self._handles["ingest"].give(Tell(event))
        if isinstance(event, e.ActorsSeen):
            self._wishes.keep_linked(event)
            self._stand("learner", self._wishes.order())
            self._handles["ingest"].give(Tell(event))
        if not isinstance(event, e.Recorded | e.PolicyPublished | e.LearnWished | e.Evaluated | e.Invited):
            self._journal.write(event)
        self._on_event(event)

    def _on_worker(self, event: e.WorkerChanged) -> None:
        """The actors' stations are told when the learner is away; without one of both there is nothing to serve."""
        if event.worker == "learner" and event.state in (e.WorkerState.RESTARTING, e.WorkerState.FAILED):
            text = f"the learner is {event.state.value}: {event.reason}"
            self._handles["ingest"].give(Tell(e.LogLine("learner", e.Level.WARNING, text, time.time())))
        # Under torchrun, a learner alone cannot meet the others again: all end, and torchrun starts all.
        alone = event.worker == "learner" and own_place().world > 1
        if event.state is e.WorkerState.FAILED or (alone and event.state is e.WorkerState.RESTARTING):
            self._failure = self._failure or f"{event.worker} failed: {event.reason}"
            self._shutdown.set()

    def _on_keeper_done(self, keeper: asyncio.Task[None]) -> None:
        """A keeper ends only with the station, or with a worker that failed."""
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            log.error("the station failed: %s", error, exc_info=error)
            self._failure = f"the station failed: {type(error).__name__}: {error}"
            self._shutdown.set()
