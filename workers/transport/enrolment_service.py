"""The one call a stranger may make: a join token for a session token."""

import asyncio
import logging
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from workers.transport.door import Door
from workers.transport.enrolment import LOCKED, OFTEN
from workers.transport.limits_peers import Peers, Watchman, address_of
from workers.transport.pb import learner_pb2
from workers.transport.tokens import JoinTokens, SessionTokens, Verdict, plain

SERVICE: Final = learner_pb2.DESCRIPTOR.services_by_name["Enrolment"].full_name
METHOD: Final = f"/{SERVICE}/Enrol"
TARPIT_S: Final = 1.0
REQUEST_S: Final = 5.0
log = logging.getLogger(__name__)


class EnrolmentService:
    """Takes join tokens. Nothing is read from an address that has used up its attempts."""

    def __init__(
        self, joins: JoinTokens, sessions: SessionTokens, watchman: Watchman, door: Door, run: str
    ) -> None:
        self._joins = joins
        self._sessions = sessions
        self._peers = Peers()
        self._watchman = watchman
        self._door = door
        self._run = run

    def handler(self) -> grpc.GenericRpcHandler:
        """Registered as a stream of requests: that way the code runs before a request is read."""
        method = grpc.stream_unary_rpc_method_handler(
            self._enrol,
            request_deserializer=learner_pb2.EnrolRequest.FromString,
            response_serializer=learner_pb2.EnrolReply.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Enrol": method})

    async def _enrol(self, requests: Any, context: Any) -> learner_pb2.EnrolReply:
        peer = context.peer()
        address = self._door.address(peer) or address_of(peer)
        if self._peers.locked_out(address):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, LOCKED)
        if not self._peers.may_enrol(address):
            self._failed(address, "too many attempts to join")
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, OFTEN)
        try:
            request = await asyncio.wait_for(anext(requests), REQUEST_S)
        except (TimeoutError, StopAsyncIteration, DecodeError):
            self._failed(address, "malformed attempts to join")
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "malformed")
        verdict = self._joins.redeem(request.token)
        if verdict is not Verdict.GOOD:
            self._failed(address, f"attempts to join with a token that is {verdict}")
            await asyncio.sleep(TARPIT_S)
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, verdict.value)
        self._door.proven(peer)
        token = self._sessions.issue(request.label)
        log.info("%s joined from %s", plain(request.label), address)
        return learner_pb2.EnrolReply(session_token=token, run=self._run)

    def _failed(self, address: str, what: str) -> None:
        self._peers.failed(address)
        self._watchman.note(address, what)
