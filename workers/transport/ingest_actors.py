"""Who is linked: one live session for each actor_id, by lease; an older one is fenced before a newer one writes."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workers.model.events import ActorSeen, ActorsSeen, Event
from workers.transport.ingest_hello import Actor, Refusal
from workers.transport.ingest_session import Session, log_refusal
from workers.transport.log_format import LogError
from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec
from workers.transport.replica import ReplicaWriter
from workers.transport.sources import actor_log

ACTORS = 16
LOGS = 256  # of one run; every wiped actor leaves one


class Actors:
    """The sessions of an ingest worker."""

    def __init__(self, run_dir: Path, features: FeatureSpec, emit: Callable[[Event], None]) -> None:
        self._run_dir = run_dir
        self._features = features
        self._emit = emit
        self._newest: dict[str, Session] = {}
        self._verified: dict[Path, int] = {}  # for ReplicaWriter; used while `_entering` is held
        self._entering = asyncio.Lock()

    async def enter(self, actor: Actor, offer: pb.PolicyOffer) -> Session:
        """A session for `actor`, in place of one that is silent or its own older one. Raises Refusal.

        A stream that breaks meanwhile does not break the opening of its log: that ends by itself, the log is
        closed again, and the next hello, which waits for it here, finds what was read in memory.
        """
        await self._entering.acquire()
        opening = asyncio.create_task(self._open(actor, offer))
        opening.add_done_callback(lambda _: self._entering.release())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_end_unwanted)
            raise

    async def _open(self, actor: Actor, offer: pb.PolicyOffer) -> Session:
        self._check(actor)
        old = self._newest.get(actor.actor_id)
        if old is not None:
            await self._fence(old, actor)
        directory = self._log_of(actor)
        disk = ThreadPoolExecutor(1, thread_name_prefix=f"log-{actor.actor_id}")
        session = Session(actor, self._features, disk, self._emit)
        try:
            await session.open(
                lambda: ReplicaWriter(directory, self._features, actor.epoch, verified=self._verified), offer
            )
        except (LogError, OSError) as error:
            disk.shutdown(wait=False)
            raise log_refusal(error) from error
        self._newest.pop(actor.actor_id, None)  # to the end: the order of joining
        self._newest[actor.actor_id] = session
        return session

    def _check(self, actor: Actor) -> None:
        old = self._newest.get(actor.actor_id)
        if old is not None and old.alive and not actor.same_log(old.actor):
            raise Refusal(
                pb.REFUSED_CODE_HELD,
                f"Another robot PC, {old.actor.host}, feeds the learner as {actor.actor_id!r};"
                f" it was heard {time.monotonic() - old.heard_s:.1f} s ago.",
                "Stop that one, or give this one a policy.actor_learner_config.actor_id of its own.",
            )
        others = [session for name, session in self._newest.items() if name != actor.actor_id]
        if sum(not session.ended for session in others) >= ACTORS:
            raise Refusal(
                pb.REFUSED_CODE_BUSY,
                f"{ACTORS} robot PCs feed this learner already, which is all it takes.",
                "Stop one of them.",
            )
        for other in others:
            if other.alive and other.actor.epoch == actor.epoch:
                raise Refusal(
                    pb.REFUSED_CODE_HELD,
                    f"{other.actor.host} feeds the learner from the same log, as {other.actor.actor_id!r}:"
                    " one of the two has a copy.",
                    "Where the copy is, stop the run, move its `log` folder aside and start again: a new log begins.",
                )
        directory = self._log_of(actor)
        if not directory.exists() and sum(1 for _ in self._logs()) >= LOGS:
            raise Refusal(
                pb.REFUSED_CODE_BUSY,
                f"The learner keeps {LOGS} logs of this run already, which is all it takes.",
                "Begin a new run, or move logs that are not needed out of its `actors` folder.",
            )

    def _log_of(self, actor: Actor) -> Path:
        try:
            return actor_log(self._run_dir, actor.actor_id, actor.epoch)
        except LogError as error:
            raise log_refusal(error) from error

    def _logs(self) -> list[Path]:
        directory = self._run_dir / "actors"
        return list(directory.iterdir()) if directory.is_dir() else []

    async def _fence(self, old: Session, actor: Actor) -> None:
        old.end(
            Refusal(
                pb.REFUSED_CODE_FENCED,
                f"{actor.host} has taken over as {actor.actor_id!r}.",
                "Stop one of the two, or give one an actor_id of its own.",
            )
        )
        await old.closed.wait()

    def live(self) -> list[Session]:
        """Sessions whose lease holds."""
        return [session for session in self._newest.values() if session.alive]

    def seen(self) -> ActorsSeen:
        """Every actor that was linked since this worker began, the newest ones if there were very many."""
        while len(self._newest) > LOGS:
            del self._newest[next(name for name, session in self._newest.items() if not session.alive)]
        now = time.monotonic()
        return ActorsSeen(
            tuple(
                ActorSeen(
                    name, session.actor.host, session.alive, session.records, round(now - session.heard_s, 3)
                )
                for name, session in self._newest.items()
            )
        )

    async def close(self) -> None:
        """End every session; all logs are closed when this returns."""
        async with self._entering:  # no log is just being opened
            pass
        for session in self._newest.values():
            session.end()
        for session in self._newest.values():
            await session.closed.wait()


def _end_unwanted(opening: asyncio.Task[Session]) -> None:
    """Close the log of a stream that broke while it was opened."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().end()
