"""Link worker: on the robot PC in place of a learner, which runs elsewhere.

Takes the learner's orders and tells its events; the actor's log is streamed to it, and its policies come back.
"""

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as installed_version
from typing import TypeVar

import grpc
import msgspec

from workers.config import Config
from workers.model.events import LinkState
from workers.model.orders import Learn, NewRecords, NoteSuccess
from workers.runtime.harness import Desk, WorkerFailure
from workers.transport.channel import NotJoined, dial
from workers.transport.channel_address import LOOPBACK, joined
from workers.transport.credentials import CredentialError
from workers.transport.link_errors import (
    LinkLost,
    LinkRefused,
    certificates_differ,
    explained,
    nobody_listens,
    shows_another_certificate,
)
from workers.transport.link_log import LinkLog
from workers.transport.link_policies import PolicyFetcher
from workers.transport.link_session import LinkSession, Shared
from workers.transport.link_status import LinkStatus
from workers.transport.log_format import LogError
from workers.transport.pb import learner_pb2 as pb
from workers.transport.record import FeatureSpec
from workers.transport.wire import PROTOCOL_MAJOR, network_settings

ORDER_PERIOD_S = 0.02
TICK_S = 1.0
LOG_PERIOD_S = 0.5
BACK_OFF_S = (0.2, 5.0)
REFUSED_PERIOD_S = 5.0
STEADY_S = 10.0  # a link that held so long begins its back-off anew
T = TypeVar("T")


def main(desk: Desk, config: Config) -> None:
    """Keep the link up until told to quit. Raises WorkerFailure when the actor's log cannot be used."""
    os.umask(0o077)
    try:
        asyncio.run(LinkWorker(desk, config).run())
    except LogError as error:
        raise WorkerFailure(str(error)) from error


class LinkWorker:
    """Orders, status and one connection after the other."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self._desk = desk
        self._config = config
        link = config.policy.actor_learner_config
        self._address = joined(link.learner_host or "", link.learner_port)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="log")
        emit = desk.mailbox.emit
        self._shared = Shared(
            learner=self._address,
            log=LinkLog(config.run_dir / "log", jpeg=link.image_format == "jpeg"),
            status=LinkStatus(self._address, emit),
            policies=PolicyFetcher(config.run_dir / "policy", emit),
            emit=emit,
            on_disk=self._on_disk,
        )

    async def run(self) -> None:
        """Until the desk says quit. Raises LogError."""
        await self._shared.policies.tell_newest()
        self._shared.acked_seq = await self._on_disk(self._shared.log.acknowledged)
        work = [asyncio.create_task(self._keep_linked()), asyncio.create_task(self._keep_telling())]
        try:
            while self._desk.alive():
                self._take_orders()
                for task in work:
                    if task.done():
                        task.result()
                await asyncio.sleep(ORDER_PERIOD_S)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            self._disk.shutdown(wait=False)

    def _take_orders(self) -> None:
        while (order := self._desk.next_order()) is not None:
            match order:
                case Learn(on, all_demonstrated):
                    self._shared.wish = pb.Wish(learn=on, all_demonstrated=all_demonstrated)
                    self._shared.wished.set()
                case NoteSuccess(version, successes, trials):
                    self._shared.evaluation = pb.Evaluation(
                        policy_version=version, successes=successes, trials=trials
                    )
                    self._shared.evaluated.set()
                case NewRecords():
                    self._shared.recorded.set()

    async def _keep_telling(self) -> None:
        shared = self._shared
        while True:
            acked = shared.acked_seq
            await self._on_disk(lambda: shared.log.note_acknowledged(acked))  # noqa: B023
            shared.status.backlog, shared.status.backlog_bytes = await self._on_disk(
                lambda: shared.log.backlog(acked)  # noqa: B023
            )
            shared.status.policy_wanted = shared.policies.wanted
            shared.status.tick()
            await asyncio.sleep(TICK_S)

    async def _keep_linked(self) -> None:
        """Connect, for ever: soon after a short break, more and more patiently after that."""
        features, epoch = await self._identity()
        hello = self._hello(features, epoch)
        wait_s = BACK_OFF_S[0]
        while True:
            begun_s = time.monotonic()
            try:
                await self._link_once(hello)
            except LinkRefused as error:
                self._shared.status.change(LinkState.REFUSED, str(error))
                at_once = error.at_once
            except LinkLost as error:
                self._shared.status.change(LinkState.DOWN, str(error))
                at_once = True
            if time.monotonic() - begun_s > STEADY_S:
                wait_s = BACK_OFF_S[0]
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0) if at_once else REFUSED_PERIOD_S)
            wait_s = min(2 * wait_s, BACK_OFF_S[1])

    async def _link_once(self, hello: pb.Hello) -> None:
        """One connection from dialling to its end, which is always LinkLost, LinkRefused or LogError."""
        try:
            async with dial(self._address) as channel:
                await LinkSession(channel, hello, self._shared).run()
        except (NotJoined, CredentialError) as error:
            if isinstance(error, NotJoined) and await self._nobody_listens():
                raise nobody_listens(self._address) from error
            raise LinkRefused(str(error)) from error
        except grpc.aio.AioRpcError as error:
            if shows_another_certificate(error):
                raise await asyncio.to_thread(certificates_differ, self._address) from error
            raise explained(self._address, error) from error
        except (OSError, asyncio.InvalidStateError, grpc.aio.UsageError) as error:
            raise LinkLost(f"the link to {self._address} broke: {error}") from error

    async def _nobody_listens(self) -> bool:
        """Where a learner of this user on this machine is down, its credential is gone too: no reason to join."""
        link = self._config.policy.actor_learner_config
        if link.learner_host not in LOOPBACK:
            return False
        try:
            _, writer = await asyncio.open_connection(link.learner_host, link.learner_port)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        writer.close()
        return False

    async def _identity(self) -> tuple[FeatureSpec, int]:
        """Features and epoch of the actor's log, once it has one."""
        while (found := await self._on_disk(self._shared.log.identity)) is None:
            self._shared.status.change(LinkState.CONNECTING, "waiting for the actor to open its log")
            await asyncio.sleep(LOG_PERIOD_S)
        self._shared.status.change(LinkState.CONNECTING)
        return found

    def _hello(self, features: FeatureSpec, epoch: int) -> pb.Hello:
        return pb.Hello(
            protocol_major=PROTOCOL_MAJOR,
            app_version=installed_version("hilserl-tui"),
            run=self._config.run.name,
            actor_id=self._config.policy.actor_learner_config.actor_id,
            epoch=epoch,
            host=socket.gethostname(),
            features=msgspec.json.encode(features),
            networks=msgspec.json.encode(network_settings(self._config.policy)),
        )

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)
