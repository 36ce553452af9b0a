"""One connection of the link: hello, then records out and acknowledgements in, until it breaks."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc

from workers.model.events import Event, LinkState
from workers.transport.link_errors import LinkLost, LinkRefused, no_answer, refused
from workers.transport.link_log import LinkLog
from workers.transport.link_policies import PolicyFetcher
from workers.transport.link_reports import Reports
from workers.transport.link_status import LinkStatus
from workers.transport.link_window import Window
from workers.transport.log_format import PackedRecord
from workers.transport.pb import learner_pb2 as pb
from workers.transport.pb import learner_pb2_grpc
from workers.transport.wire import HEARTBEAT_S, SILENCE_S, to_message

ANSWER_S = 5.0
ENDED = "the learner ended the link; it may be restarting"
LOOK_PERIOD_S = 0.25  # at the log, by itself; NewRecords makes it sooner
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Shared:
    """What outlives one connection."""

    learner: str
    """Its address, host:port."""
    log: LinkLog
    status: LinkStatus
    policies: PolicyFetcher
    emit: Callable[[Event], None]
    on_disk: Callable[[Callable[[], Any]], Awaitable[Any]]
    """Runs a call of `log` in its thread."""
    reports: Reports = field(default_factory=Reports)
    wish: pb.Wish | None = None
    wished: asyncio.Event = field(default_factory=asyncio.Event)
    evaluation: pb.Evaluation | None = None
    """The newest: said on every stream, for nobody tells whether it arrived on one that broke."""
    evaluated: asyncio.Event = field(default_factory=asyncio.Event)
    recorded: asyncio.Event = field(default_factory=asyncio.Event)
    acked_seq: int = 0


class LinkSession:
    """To be made for each connection. `run` ends with LinkLost, LinkRefused, AioRpcError or LogError only."""

    def __init__(self, channel: grpc.aio.Channel, hello: pb.Hello, shared: Shared) -> None:
        self._channel = channel
        self._stub = learner_pb2_grpc.LearnerStub(channel)
        self._hello = hello
        self._shared = shared
        self._window = Window()
        self._acked = asyncio.Event()
        self._writing = asyncio.Lock()
        self._heard_s = time.monotonic()
        self._sent_seq = 0
        self._echo_ns = 0
        self._behind = False
        """Whether records wait for others to be acknowledged: policies give way to them."""
        self._call: Any = None

    async def run(self) -> None:
        self._call = self._stub.Link()
        try:
            await self._open()
            await self._until_broken()
        finally:
            self._call.cancel()

    async def _open(self) -> None:
        """Hello and Welcome."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._write(pb.FromActor(hello=self._hello))
                first = await self._call.read()
        except TimeoutError as error:
            connected = self._channel.get_state() is grpc.ChannelConnectivity.READY
            raise no_answer(self._shared.learner, connected, ANSWER_S) from error
        if first is grpc.aio.EOF:
            raise LinkLost(ENDED)
        if first.WhichOneof("message") == "refused":
            raise refused(first.refused)
        if first.WhichOneof("message") != "welcome":
            raise LinkLost("the learner did not begin with a welcome")
        shared, welcome, next_seq = self._shared, first.welcome, first.welcome.next_seq
        if not await shared.on_disk(lambda: shared.log.go_to(next_seq)):
            raise LinkRefused(
                f"The learner has {next_seq} records of this log, but there are fewer here: it was set back or restored"
                " from a copy. Stop the run, move its `log` folder aside and start again: a new log begins."
            )
        if not await shared.on_disk(lambda: shared.log.is_marked(next_seq, welcome.mark)):
            raise LinkRefused(
                f"The learner's {next_seq} records of this log differ from those here: it was set back, or copied from"
                " another machine. Nothing was sent. Stop the run, move its `log` folder aside and start again: a new"
                " log begins."
            )
        self._sent_seq = shared.acked_seq = next_seq
        shared.policies.offer(welcome.policy)
        shared.wished.set()  # the learner may be a new one
        shared.evaluated.set()
        shared.status.change(LinkState.UP)

    async def _until_broken(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for work in (
                    self._receive(),
                    self._send_records(),
                    self._send_wishes(),
                    self._send_evaluations(),
                    self._beat(),
                    self._shared.policies.run(self._stub, lambda: self._behind),
                ):
                    group.create_task(work)
        except ExceptionGroup as errors:  # the learner's own word, where it said one, tells most
            raise min(errors.exceptions, key=lambda error: not isinstance(error, LinkRefused)) from errors

    async def _receive(self) -> None:
        while True:
            message = await self._call.read()
            if message is grpc.aio.EOF:  # any other end raises here
                raise LinkLost(ENDED)
            self._heard_s = time.monotonic()
            match message.WhichOneof("message"):
                case "ack":
                    self._acknowledge(message.ack.next_seq)
                case "heartbeat":
                    self._echo_ns = message.heartbeat.sent_ns
                    if message.heartbeat.echo_ns:
                        self._shared.status.round_trip_ms = (
                            time.monotonic_ns() - message.heartbeat.echo_ns
                        ) / 1e6
                case "policy_offer":
                    self._shared.policies.offer(message.policy_offer)
                case "report":
                    self._pass_on(message.report)
                case "refused":
                    raise refused(message.refused)
                case _:
                    log.warning("the learner said something this version does not know")

    def _acknowledge(self, next_seq: int) -> None:
        shared = self._shared
        if not shared.acked_seq <= next_seq <= self._sent_seq:
            raise LinkLost(f"the learner acknowledges {next_seq}, {self._sent_seq} were sent")
        self._window.acknowledge(next_seq)
        shared.status.acked += next_seq - shared.acked_seq
        shared.acked_seq = next_seq
        self._acked.set()

    def _pass_on(self, report: pb.Report) -> None:
        """Events of the learner's station, as if it were this machine's."""
        for event in self._shared.reports.events(report):
            self._shared.emit(event)

    async def _send_records(self) -> None:
        shared = self._shared
        while True:
            shared.recorded.clear()
            self._acked.clear()
            limit, limit_bytes = self._window.room()
            if limit <= 0 or limit_bytes <= 0:
                self._behind = True
                await self._acked.wait()
                continue
            batch: list[PackedRecord] = await shared.on_disk(
                lambda: shared.log.next_batch(limit, limit_bytes)  # noqa: B023
            )
            if batch:
                await self._send(batch)
                continue
            self._behind = False
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_PERIOD_S):
                    await shared.recorded.wait()

    async def _send(self, batch: list[PackedRecord]) -> None:
        size = sum(len(record.payload) for record in batch)
        self._sent_seq = batch[-1].seq + 1
        self._window.sent(self._sent_seq, len(batch), size)
        await self._write(pb.FromActor(records=to_message(batch)))
        self._shared.status.sent_bytes += size

    async def _send_wishes(self) -> None:
        shared = self._shared
        while True:
            await shared.wished.wait()
            shared.wished.clear()
            if shared.wish is not None:
                shared.wish.newest_policy = shared.policies.newest
                await self._write(pb.FromActor(wish=shared.wish))

    async def _send_evaluations(self) -> None:
        shared = self._shared
        while True:
            await shared.evaluated.wait()
            shared.evaluated.clear()
            if shared.evaluation is not None:
                await self._write(pb.FromActor(evaluation=shared.evaluation))

    async def _beat(self) -> None:
        """Once a second a sign of life each way; a learner that gives none has gone, whatever TCP thinks."""
        while True:
            heartbeat = pb.Heartbeat(sent_ns=time.monotonic_ns(), echo_ns=self._echo_ns)
            beating = asyncio.create_task(self._write(pb.FromActor(heartbeat=heartbeat)))
            try:
                await asyncio.sleep(HEARTBEAT_S)
                while not beating.done():
                    self._check_heard()
                    await asyncio.sleep(0.1)
                await beating
                self._check_heard()
            finally:
                beating.cancel()

    def _check_heard(self) -> None:
        silent_s = time.monotonic() - self._heard_s
        if silent_s > SILENCE_S:
            raise LinkLost(f"not a word from the learner for {silent_s:.0f} s")

    async def _write(self, message: pb.FromActor) -> None:
        async with self._writing:  # gRPC takes one message at a time
            # Of a stream that has ended `_receive` tells why: the learner's last word may still wait there.
            with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
                await self._call.write(message)
