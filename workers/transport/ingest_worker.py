"""Ingest worker: the learner's side of the link, in a process of its own so that training never delays an answer.

Writes one log an actor, acknowledges what is on the disk, offers policies, and passes on what the learner tells.
"""

import asyncio
import getpass
import logging
import os
import socket
from importlib.metadata import version

import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from workers.config import Config
from workers.model.events import Invited
from workers.model.orders import AnyOrder, Invite, TakePolicy, Tell
from workers.runtime.harness import Desk, WorkerFailure
from workers.transport.credentials import CredentialError
from workers.transport.enrolment import tunnel_line
from workers.transport.guard import ListenRefused, SecureServer, secure_server
from workers.transport.ingest_actors import Actors
from workers.transport.ingest_hello import Expected
from workers.transport.ingest_policies import Policies
from workers.transport.ingest_service import LearnerService
from workers.transport.pb import learner_pb2_grpc
from workers.transport.record import FeatureSpec
from workers.transport.wire import network_settings

ORDER_PERIOD_S = 0.02
SEEN_PERIOD_S = 1.0
SERVICES = ("", "ingest", "weights")
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config, listen: str, features: FeatureSpec) -> None:
    """Serve at `listen`, "host:port", until told to quit. Raises WorkerFailure when it cannot listen there."""
    os.umask(0o077)
    try:
        asyncio.run(IngestWorker(desk, config, features).serve(listen))
    except (ListenRefused, CredentialError, ValueError) as error:
        raise WorkerFailure(str(error)) from error


class IngestWorker:
    """Orders in, events out, and between them the server."""

    def __init__(self, desk: Desk, config: Config, features: FeatureSpec) -> None:
        self._desk = desk
        self._run = config.run.name
        self._actors = Actors(config.run_dir, features, desk.mailbox.emit)
        self._policies = Policies(config.run_dir / "policy")
        self._expected = Expected(
            self._run, version("hilserl-tui"), features, network_settings(config.policy)
        )

    async def serve(self, listen: str) -> None:
        server = secure_server(listen, run=self._run)
        await self._policies.take_newest()
        service = LearnerService(self._expected, self._actors, self._policies, server.admits)
        learner_pb2_grpc.add_LearnerServicer_to_server(service, server.grpc)
        lamp = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(lamp, server.grpc)
        for name in SERVICES:
            await lamp.set(name, health_pb2.HealthCheckResponse.SERVING)
        await server.start()
        log.info("listening at %s", ", ".join(server.addresses()))
        try:
            await self._until_told_to_quit(server)
        finally:
            await lamp.enter_graceful_shutdown()
            await self._actors.close()
            await server.stop()

    async def _until_told_to_quit(self, server: SecureServer) -> None:
        clock = asyncio.get_running_loop().time
        seen_s = 0.0
        while self._desk.alive():
            while (order := self._desk.next_order()) is not None:
                await self._obey(order, server)
            if clock() - seen_s >= SEEN_PERIOD_S:
                seen_s = clock()
                self._desk.mailbox.emit(self._actors.seen())
            await asyncio.sleep(ORDER_PERIOD_S)

    async def _obey(self, order: AnyOrder, server: SecureServer) -> None:
        match order:
            case TakePolicy(number):
                if await self._policies.take(number):
                    for session in self._actors.live():
                        session.outbox.offer(self._policies.offer)
            case Tell(event):
                packed = msgspec.msgpack.encode(event)
                for session in self._actors.live():
                    session.outbox.report(packed)
            case Invite():
                line = server.invite().line()
                tunnel = tunnel_line(server.port, socket.gethostname(), getpass.getuser())
                self._desk.mailbox.emit(Invited(line, tunnel))
