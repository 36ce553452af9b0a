"""What cannot be parsed ends its call as INVALID_ARGUMENT; left alone, gRPC logs a traceback for each."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

WORDS = "malformed message"


def tolerant(handler: grpc.RpcMethodHandler | None) -> grpc.RpcMethodHandler | None:
    """`handler`, with a call that ends in order where a request cannot be parsed.

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
    parse = None if handler.request_streaming else handler.request_deserializer
    guarded = (_stream if handler.response_streaming else _answer)(getattr(handler, kind), parse)
    changes = {kind: guarded} if handler.request_streaming else {kind: guarded, "request_deserializer": None}
    return handler._replace(**changes)


def _answer(inner: Any, parse: Any) -> Any:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return await inner(parse(request) if parse else request, context)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, WORDS)

    return answer


def _stream(inner: Any, parse: Any) -> Any:
    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
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
