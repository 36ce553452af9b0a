"""Fetching policies: the newest on offer, verified, laid on the local shelf, without holding up transitions.

One that was begun is finished before the newest is begun: on a thin line there is always a newer one by then.
"""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc

from workers.model.events import Event, PolicyPublished
from workers.transport.pb import learner_pb2 as pb
from workers.transport.policy_change import NoChange, changed
from workers.transport.shelf import PolicyShelf
from workers.transport.wire import CHUNK_BYTES, POLICY_BYTES

CHUNK_S = 10.0  # 128 KiB at 0.1 Mbit/s
PAUSE_S = 1.0  # before each chunk: transitions come before weights
PAUSE_STEP_S = 0.05
AGAIN_S = 2.0
log = logging.getLogger(__name__)


class PolicyFetcher:
    """Outlives connections: what was received of a part is kept, and a new connection goes on from there."""

    def __init__(self, directory: Path, emit: Callable[[Event], None]) -> None:
        self._shelf = PolicyShelf(directory)
        self._emit = emit
        self._offer: pb.PolicyOffer | None = None
        self._begun: pb.PolicyOffer | None = None
        """The one that `_partial` is of."""
        self._offered = asyncio.Event()
        self._partial: tuple[bytes, bytearray] = (b"", bytearray())
        self._have = (0, b"")
        self._here = b""
        """The newest policy here, which the next one is a change of; empty: none, or not to be built on."""
        self.wanted = 0
        """Version under way; 0 when the newest on offer is here."""

    @property
    def newest(self) -> int:
        """Version of the newest policy that lies here; 0: none."""
        return self._have[0]

    async def tell_newest(self) -> None:
        """Say which version lies here from before; the actor may drive with it while there is no link."""
        versions = await asyncio.to_thread(self._shelf.versions)
        data = await asyncio.to_thread(self._shelf.read, versions[-1]) if versions else None
        if data is not None:
            self._have, self._here = (versions[-1], sha256(data).digest()), data
            self._emit(PolicyPublished(versions[-1]))

    def offer(self, offer: pb.PolicyOffer) -> None:
        """The learner has this policy; one that is not begun yet is forgotten for it."""
        if offer.version and (offer.version, offer.trained.sha256) != self._have:
            self._offer = offer
            self.wanted = offer.version
            self._offered.set()

    async def run(self, stub: Any, behind: Callable[[], bool]) -> None:
        """Fetch what is offered while the connection lasts. Raises AioRpcError."""
        while True:
            await self._offered.wait()
            offer = self._begun or self._offer
            assert offer is not None
            try:
                done = await self._take(stub, offer, behind)
            except OSError as error:
                log.error(
                    "policy %d cannot be written: %s; the actor keeps the last one", offer.version, error
                )
                done = False
            if self._offer is not offer:
                continue  # a newer one came meanwhile
            if done:
                self.wanted = 0
                self._offered.clear()
            else:
                await asyncio.sleep(AGAIN_S)

    async def _take(self, stub: Any, offer: pb.PolicyOffer, behind: Callable[[], bool]) -> bool:
        if offer.frozen.size and not await self._take_frozen(stub, offer.frozen, behind):
            return False
        self._begun = offer
        data = await self._fetch_trained(stub, offer, behind)
        if data is None:
            return False
        await asyncio.to_thread(self._shelf.put, offer.version, data)
        self._have, self._here = (offer.version, offer.trained.sha256), data
        self._emit(PolicyPublished(offer.version))
        return True

    async def _fetch_trained(
        self, stub: Any, offer: pb.PolicyOffer, behind: Callable[[], bool]
    ) -> bytes | None:
        """The policy: by what changed since the one here where the learner can tell, else whole."""
        way = await self._way(stub, offer)
        if way is None:
            return await self._fetch(stub, offer.trained, behind)
        difference = await self._fetch(stub, way.change, behind)
        if difference is None:
            return None
        try:
            data = await asyncio.to_thread(changed, self._here, difference)
        except NoChange as error:
            log.error("the changes of a policy cannot be applied here (%s); it is fetched whole", error)
            self._here = b""
            return None
        if (await asyncio.to_thread(sha256, data)).digest() != way.result_sha256:
            log.error("a policy that was made from its changes is not the learner's; it is fetched whole")
            self._here = b""
            return None
        return data

    async def _way(self, stub: Any, offer: pb.PolicyOffer) -> pb.ChangeReply | None:
        """The change that leads to what is offered; None where there is none."""
        if not self._here:
            return None
        digest = await asyncio.to_thread(sha256, self._here)
        request = pb.ChangeRequest(base_sha256=digest.digest(), sha256=offer.trained.sha256)
        try:
            way: pb.ChangeReply = await stub.PrepareChange(request, timeout=CHUNK_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.DEADLINE_EXCEEDED):
                return None
            raise
        return way

    async def _take_frozen(self, stub: Any, blob: pb.Blob, behind: Callable[[], bool]) -> bool:
        """The part that never changes, once."""
        there = await asyncio.to_thread(self._shelf.frozen_sha256)
        if there == blob.sha256.hex():
            return True
        data = await self._fetch(stub, blob, behind)
        if data is not None:
            await asyncio.to_thread(self._shelf.put_frozen, blob.sha256.hex(), data)
        return data is not None

    async def _fetch(self, stub: Any, blob: pb.Blob, behind: Callable[[], bool]) -> bytes | None:
        """One part, whole and verified; None when the learner has it no more, or sent something else."""
        if blob.size > POLICY_BYTES:
            log.error(
                "the learner offers a policy of %d MiB, the limit is %d", blob.size >> 20, POLICY_BYTES >> 20
            )
            self._begin_anew()
            return None
        if self._partial[0] != blob.sha256:
            self._partial = (blob.sha256, bytearray())
        received = self._partial[1]
        try:
            await self._receive(stub, blob, received, behind)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return None  # a very thin line: what came is kept
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            self._begin_anew()
            return None
        self._begin_anew()
        data = bytes(received)
        if len(data) != blob.size or (await asyncio.to_thread(sha256, data)).digest() != blob.sha256:
            log.error("a policy arrived damaged and is fetched again; the actor keeps the last one")
            return None
        return data

    def _begin_anew(self) -> None:
        self._begun, self._partial = None, (b"", bytearray())

    async def _receive(
        self, stub: Any, blob: pb.Blob, received: bytearray, behind: Callable[[], bool]
    ) -> None:
        while len(received) < blob.size:
            await _give_way(behind)
            request = pb.FetchPolicyRequest(sha256=blob.sha256, offset=len(received))
            chunk = await stub.FetchPolicy(request, timeout=CHUNK_S)
            if not 0 < len(chunk.data) <= CHUNK_BYTES:
                return
            received += chunk.data


async def _give_way(behind: Callable[[], bool]) -> None:
    """While transitions wait to be sent, pause a while."""
    waited_s = 0.0
    while behind() and waited_s < PAUSE_S:
        await asyncio.sleep(PAUSE_STEP_S)
        waited_s += PAUSE_STEP_S
