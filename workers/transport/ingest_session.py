"""One robot PC's stream: its records go to its log on this disk, and only what is there is acknowledged."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from workers.model.events import Evaluated, Event, LearnWished, Recorded
from workers.transport.ingest_hello import Actor, Refusal, malformed
from workers.transport.ingest_outbox import Outbox
from workers.transport.log_format import LogError, LogFull
from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec
from workers.transport.replica import LogGap, ReplicaWriter
from workers.transport.wire import HEARTBEAT_S, LEASE_S, Malformed, from_message

POLICY_VERSIONS = 10**9  # more than any run makes
TRIALS = 10**6  # more than anybody has the patience for
SILENT_S = 2 * LEASE_S  # longer than a link that lives is ever silent; then its thread and files are let go
MESSAGES_WAITING = 4  # of at most 2 MiB each; a faster peer waits in its own memory
log = logging.getLogger(__name__)
T = TypeVar("T")


class Session:
    """From Welcome to the end of a stream. `disk` is one thread, so that closing waits behind the last commit."""

    def __init__(
        self, actor: Actor, features: FeatureSpec, disk: ThreadPoolExecutor, emit: Callable[[Event], None]
    ) -> None:
        self.actor = actor
        self.outbox: Outbox
        self.records = 0
        """Records of this actor on the disk."""
        self.heard_s = time.monotonic()
        """When its last message came."""
        self.closed = asyncio.Event()
        """Set when nothing of this session can be written any more."""
        self._features = features
        self._disk = disk
        self._emit = emit
        self._writer: ReplicaWriter
        self._wished: LearnWished | None = None
        self._evaluated: Evaluated | None = None
        self._ended = False
        self._work: asyncio.Task[None] | None = None
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MESSAGES_WAITING)

    async def open(self, make_writer: Callable[[], ReplicaWriter], offer: pb.PolicyOffer) -> None:
        """Open the log and prepare the welcome. Raises LogError, OSError."""
        self._writer = await self._on_disk(make_writer)
        self.records = self._writer.durable_seq
        self.heard_s = time.monotonic()  # a peer that waits for its welcome says nothing
        self.outbox = Outbox(pb.Welcome(next_seq=self.records, mark=self._writer.mark, policy=offer))

    @property
    def alive(self) -> bool:
        """Whether its lease holds."""
        return not self._ended and time.monotonic() - self.heard_s < LEASE_S

    @property
    def ended(self) -> bool:
        """Whether its thread and files are let go."""
        return self._ended

    def start(self, requests: AsyncIterator[pb.FromActor], admitted: Callable[[], bool]) -> None:
        """Read, commit and beat until the peer leaves, misbehaves, or `end`."""
        self._work = asyncio.create_task(self._until_refused(requests, admitted))

    def end(self, refusal: Refusal | None = None) -> None:
        """Stop writing and close the stream; the first call counts."""
        if self._ended:
            return
        self._ended = True
        self.outbox.close(refusal.message() if refusal is not None else None)
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()
        closing = self._disk.submit(self._close_log)
        closing.add_done_callback(lambda _: self._disk.shutdown(wait=False))
        loop = asyncio.get_running_loop()
        closing.add_done_callback(lambda _: loop.call_soon_threadsafe(self.closed.set))

    def _close_log(self) -> None:
        try:
            self._writer.close()
        except OSError as error:  # nothing that was acknowledged is in doubt
            log.warning("the log of %s could not be closed cleanly: %s", self.actor.actor_id, error)

    async def _until_refused(
        self, requests: AsyncIterator[pb.FromActor], admitted: Callable[[], bool]
    ) -> None:
        refusal: Refusal | None = None
        try:
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._commit()), group.create_task(self._beat(admitted))]
                await self._read(requests)
                for task in others:
                    task.cancel()
        except* Refusal as errors:
            refusal = _first(errors, Refusal)
        except* LogFull:
            refusal = Refusal(
                pb.REFUSED_CODE_DISK_FULL,
                "The learner's disk is full; nothing is lost, this robot PC keeps what it records.",
                "Free some space on the learner's machine: old runs are the largest files.",
            )
        except* LogGap as errors:
            refusal = Refusal(
                pb.REFUSED_CODE_GAP, f"{_first(errors, LogGap)}.", "Nothing: the link is opened anew."
            )
        except* (LogError, OSError) as errors:
            refusal = log_refusal(errors.exceptions[0])
        except* Exception as errors:  # also what the unpacking of protobuf raises
            refusal = malformed(errors.exceptions[0])
        if refusal is not None:
            log.warning("the link of %s (%s) ends: %s", self.actor.actor_id, self.actor.host, refusal.what)
        self.end(refusal)

    async def _read(self, requests: AsyncIterator[pb.FromActor]) -> None:
        async for message in requests:
            self.heard_s = time.monotonic()
            match message.WhichOneof("message"):
                case "records":
                    await self._waiting.put(message.records.packed)
                case "wish":
                    self._note(message.wish)
                case "evaluation":
                    self._note_evaluation(message.evaluation)
                case "heartbeat":
                    sent_ns = message.heartbeat.sent_ns
                    self.outbox.beat(pb.Heartbeat(sent_ns=time.monotonic_ns(), echo_ns=sent_ns))
                case other:
                    raise Malformed(f"{other or 'an empty message'} in the middle of a stream")

    def _note(self, wish: pb.Wish) -> None:
        """Tell the station, unless it knows: whoever repeats himself costs it nothing. Raises Malformed."""
        if wish.newest_policy > POLICY_VERSIONS:
            raise Malformed(f"a policy of version {wish.newest_policy}")
        wished = LearnWished(self.actor.actor_id, wish.learn, wish.all_demonstrated, wish.newest_policy)
        if wished != self._wished:
            self._wished = wished
            self._emit(wished)

    def _note_evaluation(self, evaluation: pb.Evaluation) -> None:
        """Tell the station, unless it knows. Raises Malformed."""
        version, successes, trials = evaluation.policy_version, evaluation.successes, evaluation.trials
        if version > POLICY_VERSIONS or not successes <= trials <= TRIALS:
            raise Malformed(f"{successes} successes of {trials} with policy {version}")
        evaluated = Evaluated(version, successes, trials)
        if evaluated != self._evaluated:
            self._evaluated = evaluated
            self._emit(evaluated)

    async def _commit(self) -> None:
        """Group commit: everything that waits becomes durable with one sync, then one acknowledgement."""
        while True:
            messages = [await self._waiting.get()]
            while not self._waiting.empty():
                messages.append(self._waiting.get_nowait())
            self.records = await self._on_disk(lambda: self._append(messages))  # noqa: B023
            self.outbox.ack(self.records)
            self._emit(Recorded())

    def _append(self, messages: list[bytes]) -> int:
        """Every message whole before anything of it is written. Raises Malformed, LogError."""
        records = [record for message in messages for record in from_message(message, self._features)]
        return self._writer.append(records)

    async def _beat(self, admitted: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if not admitted():
                raise Refusal(
                    pb.REFUSED_CODE_FENCED,
                    "The learner took this robot PC's access away.",
                    "Join again with the line the learner prints.",
                )
            silent_s = time.monotonic() - self.heard_s
            if silent_s > SILENT_S and not self._waiting.full():  # full: it may speak, and nobody listens
                log.warning("%s was silent for %.0f s: its link ends", self.actor.actor_id, silent_s)
                self.end()
            self.outbox.beat(pb.Heartbeat(sent_ns=time.monotonic_ns()))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def log_refusal(error: BaseException) -> Refusal:
    """For a log of this actor that the learner cannot use."""
    return Refusal(
        pb.REFUSED_CODE_LOG,
        f"The learner cannot use its log of this actor: {error}",
        "Look at the learner's machine; this robot PC keeps what it records.",
    )


def _first(group: BaseExceptionGroup, kind: type[T]) -> T:
    return next(error for error in group.exceptions if isinstance(error, kind))
