"""What cannot be parsed ends its call as INVALID_ARGUMENT; left alone, gRPC logs a traceback for each.

Nor is a message parsed that would take many times its size: one that is long because it has many fields. A oneof that
changes its mind every two bytes takes 40 times its size, and gRPC holds a stream's message until the next one comes.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

WORDS = "malformed message"
LONG_BYTES = 64 * 1024
"""A longer message of this protocol is a single field: Records."""
_BYTES_TAGS = range(2, 0x80, 8)  # protobuf's encoding: a field of bytes or of a message, numbered 1 to 15


def tolerant(
    handler: grpc.RpcMethodHandler | None, served: Callable[[str], None]
) -> grpc.RpcMethodHandler | None:
    """`handler`, with a call that ends in order where a request cannot be parsed; `served` is told its peer.

    A stream of requests raises DecodeError in its handler, which may answer in its own words; a single request
    is parsed before the handler runs, so here it is parsed within the call.
    """
    if handler is None:
        return None
    before, after = (
        "stream" if streams else "unary"
        for streams in (handler.request_streaming, handler.response_streaming)
    )
    kind = f"{before}_{after}"
    parse = _careful(handler.request_deserializer)
    within, before_it = (None, parse) if handler.request_streaming else (parse, None)
    guarded = (_stream if handler.response_streaming else _answer)(getattr(handler, kind), within, served)
    return handler._replace(**{kind: guarded, "request_deserializer": before_it})


def _careful(parse: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    if parse is None:
        return None

    def parsed(data: bytes) -> Any:
        if len(data) > LONG_BYTES and not _is_one_field(data):
            raise DecodeError("a long message of many fields")
        return parse(data)

    return parsed


def _is_one_field(data: bytes) -> bool:
    """Whether `data` is a tag, a length in base 128, and as many bytes as it says."""
    length = 0
    for digits in range(4):
        length |= (data[1 + digits] & 0x7F) << 7 * digits
        if data[1 + digits] < 0x80:
            return data[0] in _BYTES_TAGS and 2 + digits + length == len(data)
    return False


def _answer(inner: Any, parse: Any, served: Callable[[str], None]) -> Any:
    async def answer(request: Any, context: Any) -> Any:
        served(context.peer())
        try:
            return await inner(parse(request) if parse else request, context)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, WORDS)

    return answer


def _stream(inner: Any, parse: Any, served: Callable[[str], None]) -> Any:
    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        served(context.peer())
        try:
            result = inner(parse(request) if parse else request, context)
            if hasattr(result, "__aiter__"):
                async for reply in result:
                    yield reply
            else:
                await result  # it writes its replies to the context
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, WORDS)

    return stream
