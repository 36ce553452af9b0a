"""The RPCs of a learner: Link, FetchPolicy and PrepareChange."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from workers.transport.ingest_actors import Actors
from workers.transport.ingest_hello import Actor, Expected, Refusal, malformed
from workers.transport.ingest_policies import Policies
from workers.transport.pb import learner_pb2 as pb
from workers.transport.pb import learner_pb2_grpc
from workers.transport.wire import Malformed

HELLO_S = 10.0
LAST_WORD_S = 1.0
"""A peer that is writing when its stream ends loses what it has not read: time to read why, and to leave by itself."""


class LearnerService(learner_pb2_grpc.LearnerServicer):
    """Whoever comes here has shown a valid token; it may still say anything."""

    def __init__(
        self, expected: Expected, actors: Actors, policies: Policies, admits: Callable[[Any], object]
    ) -> None:
        self._expected = expected
        self._actors = actors
        self._policies = policies
        self._admits = admits

    async def Link(
        self, request_iterator: AsyncIterator[pb.FromActor], context: Any
    ) -> AsyncIterator[pb.FromLearner]:
        try:
            actor = await self._hello(request_iterator)
            session = await self._actors.enter(actor, self._policies.offer)
        except Refusal as refusal:
            yield refusal.message()
            await asyncio.sleep(LAST_WORD_S)
            return
        session.start(request_iterator, lambda: bool(self._admits(context)))
        try:
            async for message in session.outbox.messages():
                yield message
                if message.HasField("refused"):
                    await asyncio.sleep(LAST_WORD_S)
        finally:
            session.end()

    async def _hello(self, requests: AsyncIterator[pb.FromActor]) -> Actor:
        try:
            async with asyncio.timeout(HELLO_S):
                message = await anext(requests)
            if message.WhichOneof("message") != "hello":
                raise Malformed("its first message is no hello")
            return self._expected.admit(message.hello)
        except Refusal:
            raise
        except Exception as error:  # also what the unpacking of protobuf raises
            raise malformed(error) from error

    async def FetchPolicy(self, request: pb.FetchPolicyRequest, context: Any) -> pb.PolicyChunk:
        chunk = self._policies.chunk(request.sha256, request.offset)
        if chunk is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such policy any more; a newer one is on offer")
        return pb.PolicyChunk(data=chunk)

    async def PrepareChange(self, request: pb.ChangeRequest, context: Any) -> pb.ChangeReply:
        reply = await self._policies.change(request.base_sha256, request.sha256)
        if reply is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such change; fetch the whole policy")
        assert reply is not None, "abort raises"
        return reply
