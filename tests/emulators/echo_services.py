"""Every service of the link's contract, answering each call with an empty reply; walked from the descriptors."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from workers.transport.enrolment_service import METHOD as ENROL
from workers.transport.pb import learner_pb2


@dataclass(frozen=True)
class Method:
    """One RPC of the contract."""

    service: str
    name: str
    request: Any  # message class
    reply: Any
    client_streams: bool
    server_streams: bool

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    async def call(
        self, channel: grpc.aio.Channel, *requests: bytes, timeout_s: float = 5.0
    ) -> grpc.StatusCode:
        """Make the call with raw requests; how it ended."""
        if self.client_streams:
            made = channel.stream_stream(self.path)(iter(requests), timeout=timeout_s)
        else:
            made = channel.unary_stream(self.path)(requests[0] if requests else b"", timeout=timeout_s)
        try:
            async for _ in made:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        except asyncio.CancelledError:
            if not made.cancelled():  # else grpc's own: a write that met the end of the call
                raise
            return grpc.StatusCode.CANCELLED
        return grpc.StatusCode.OK


def methods() -> list[Method]:
    """All RPCs but Enrol: of the contract and of the health service."""
    found = [
        Method(
            service.full_name, method.name, GetMessageClass(method.input_type), GetMessageClass(method.output_type),
            method.client_streaming, method.server_streaming,
        )
        for file in (learner_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR)
        for service in file.services_by_name.values()
        for method in service.methods
    ]  # fmt: skip
    return [one for one in found if one.path != ENROL]


@dataclass
class Echo:
    """Handlers of all methods; notes who was called."""

    called: list[str] = field(default_factory=list)

    def add_to(self, server: grpc.aio.Server, wanted: Iterable[Method] | None = None) -> None:
        for method in wanted or methods():
            handlers = {method.name: self._handler(method)}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(method.service, handlers),))

    def _handler(self, method: Method) -> grpc.RpcMethodHandler:
        async def each(requests: Any, _: Any) -> AsyncIterator[Any]:
            self.called.append(method.path)
            if method.client_streams:
                async for _ in requests:
                    yield method.reply()
            else:
                yield method.reply()

        async def one(requests: Any, _: Any) -> Any:
            self.called.append(method.path)
            if method.client_streams:
                async for _ in requests:
                    pass
            return method.reply()

        ways = {
            (True, True): (grpc.stream_stream_rpc_method_handler, each),
            (True, False): (grpc.stream_unary_rpc_method_handler, one),
            (False, True): (grpc.unary_stream_rpc_method_handler, each),
            (False, False): (grpc.unary_unary_rpc_method_handler, one),
        }
        make, answer = ways[method.client_streams, method.server_streams]
        return make(answer, method.request.FromString, method.reply.SerializeToString)
