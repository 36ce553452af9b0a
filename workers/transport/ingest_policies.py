"""Which policy is on offer, and its bytes for whoever fetches them."""

import asyncio
import logging
from hashlib import sha256
from pathlib import Path

from workers.transport.pb import learner_pb2 as pb
from workers.transport.shelf import PolicyShelf
from workers.transport.wire import CHUNK_BYTES, POLICY_BYTES

TRAINED_KEPT = 2  # a slow link may still be fetching the one before
log = logging.getLogger(__name__)


class Policies:
    """The newest policy of the shelf, in memory."""

    def __init__(self, directory: Path) -> None:
        self._shelf = PolicyShelf(directory)
        self._parts: dict[bytes, bytes] = {}  # trained ones by hash, oldest first
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
        self._parts.pop(digest, None)
        self._parts[digest] = data
        while len(self._parts) > TRAINED_KEPT:
            del self._parts[next(iter(self._parts))]
        self._frozen = (bytes.fromhex(frozen[0]), frozen[1]) if frozen else None
        self.offer = pb.PolicyOffer(
            version=version, trained=pb.Blob(sha256=digest, size=len(data)), frozen=self._frozen_blob()
        )
        return True

    def _frozen_blob(self) -> pb.Blob | None:
        return pb.Blob(sha256=self._frozen[0], size=len(self._frozen[1])) if self._frozen else None

    def chunk(self, digest: bytes, offset: int) -> bytes | None:
        """Bytes from `offset` on of the part with this SHA-256; None when it is not on offer any more."""
        frozen = self._frozen is not None and self._frozen[0] == digest
        part = self._frozen[1] if self._frozen is not None and frozen else self._parts.get(digest)
        return None if part is None else part[offset : offset + CHUNK_BYTES]
