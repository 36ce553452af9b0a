"""Which policy is on offer, and its bytes for whoever fetches them."""

import asyncio
import logging
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from workers.transport.pb import learner_pb2 as pb
from workers.transport.policy_change import NoChange, change, changed
from workers.transport.shelf import PolicyShelf
from workers.transport.wire import CHUNK_BYTES, POLICY_BYTES

ASKED_FOR_S = 30.0  # since the last chunk: longer than a robot PC on a thin line takes from one to the next
PARTS_KEPT = (
    64  # as many as there can be robot PCs, each with a policy, the next one, and the change between them
)
BYTES_KEPT = 512 * 2**20
log = logging.getLogger(__name__)


class Policies:
    """The newest policy of the shelf, in memory, and those before it that somebody is still fetching.

    On a thin line a policy takes longer than the learner takes to make the next.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._shelf = PolicyShelf(directory)
        self._clock = clock
        self._parts: dict[bytes, bytes] = {}  # trained ones by hash; the one asked for last is the last
        self._changes: dict[tuple[bytes, bytes], pb.ChangeReply] = {}
        self._result_of: dict[bytes, bytes] = {}  # hash of a change -> of the policy that it leads to
        self._preparing = asyncio.Lock()
        self._asked_s: dict[bytes, float] = {}
        self._frozen: tuple[bytes, bytes] | None = None
        self.offer = pb.PolicyOffer()
        """Version 0: none yet."""

    async def take_newest(self) -> None:
        """Offer what the shelf has newest, if anything."""
        versions = await asyncio.to_thread(self._shelf.versions)
        if versions:
            await self.take(versions[-1])

    async def take(self, version: int) -> bool:
        """Offer this version; False when it is gone already, or larger than a link takes."""
        data, frozen = await asyncio.to_thread(lambda: (self._shelf.read(version), self._shelf.frozen()))
        if data is None:
            return False
        if max(len(data), len(frozen[1]) if frozen else 0) > POLICY_BYTES:
            log.error("policy %d is larger than %d MiB and is not sent", version, POLICY_BYTES >> 20)
            return False
        digest = (await asyncio.to_thread(sha256, data)).digest()
        self._add(digest, data)
        self._frozen = (bytes.fromhex(frozen[0]), frozen[1]) if frozen else None
        self.offer = pb.PolicyOffer(
            version=version, trained=pb.Blob(sha256=digest, size=len(data)), frozen=self._frozen_blob()
        )
        return True

    async def change(self, base: bytes, wanted: bytes) -> pb.ChangeReply | None:
        """Have the way from the part `base` to the part `wanted` ready; None when there is none that is shorter.

        Args are SHA-256 of parts.
        """
        async with self._preparing:
            if base not in self._parts or wanted not in self._parts:
                return None
            known = self._changes.get((base, wanted))
            if known is None or known.change.sha256 not in self._parts:
                known = await self._prepare(base, wanted)
            return known

    async def _prepare(self, base: bytes, wanted: bytes) -> pb.ChangeReply | None:
        before, after = self._parts[base], self._parts[wanted]
        try:
            difference, result = await asyncio.to_thread(_way, before, after)
        except NoChange:
            return None
        if len(difference) >= len(after):
            return None
        blob = pb.Blob(sha256=sha256(difference).digest(), size=len(difference))
        reply = pb.ChangeReply(change=blob, result_sha256=sha256(result).digest())
        self._result_of[blob.sha256] = reply.result_sha256
        self._add(reply.result_sha256, result)  # what the next change begins from
        self._add(blob.sha256, difference)
        self._changes[base, wanted] = reply
        return reply

    def _add(self, digest: bytes, part: bytes) -> None:
        self._parts[digest] = part
        self._asked_for(digest)
        self._forget()

    def _asked_for(self, digest: bytes) -> None:
        self._parts[digest] = self._parts.pop(digest)
        self._asked_s[digest] = self._clock()

    def _forget(self) -> None:
        """The parts nobody fetches any more, and as many others as are too many, those asked for longest ago first.

        To be called when a part was just added: the last one stays.
        """
        for digest in list(self._parts)[:-1]:
            size = sum(map(len, self._parts.values()))
            crowded = len(self._parts) > PARTS_KEPT or size > BYTES_KEPT
            if crowded or self._clock() - self._asked_s[digest] > ASKED_FOR_S:
                del self._parts[digest], self._asked_s[digest]
                self._result_of.pop(digest, None)
        self._changes = {
            ends: reply for ends, reply in self._changes.items() if reply.change.sha256 in self._parts
        }

    def _frozen_blob(self) -> pb.Blob | None:
        return pb.Blob(sha256=self._frozen[0], size=len(self._frozen[1])) if self._frozen else None

    def chunk(self, digest: bytes, offset: int) -> bytes | None:
        """Bytes from `offset` on of the part with this SHA-256; None when it is not on offer any more."""
        if self._frozen is not None and self._frozen[0] == digest:
            return self._frozen[1][offset : offset + CHUNK_BYTES]
        if digest not in self._parts:
            return None
        for part in (self._result_of.get(digest), digest):
            if part in self._parts:
                self._asked_for(part)
        return self._parts[digest][offset : offset + CHUNK_BYTES]


def _way(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """The change from one policy to another, and where it leads. Raises NoChange."""
    difference = change(before, after)
    return difference, changed(before, difference)
