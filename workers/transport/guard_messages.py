"""What cannot be parsed ends its call as INVALID_ARGUMENT; left alone, gRPC logs a traceback for each."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

WORDS = "malformed message"


def tolerant(handler: grpc.RpcMethodHandler | None) -> grpc.RpcMethodHandler | None:
    """`handler` with its requests parsed inside the call, where it can still be ended in order."""
    if handler is None:
        return None
    if handler.request_streaming:
        kind = "stream_stream" if handler.response_streaming else "stream_unary"
        inner = getattr(handler, kind)
        return handler._replace(**{kind: _on_requests(inner, handler.response_streaming)})
    kind = "unary_stream" if handler.response_streaming else "unary_unary"
    inner = getattr(handler, kind)
    parse = handler.request_deserializer
    return handler._replace(
        request_deserializer=None, **{kind: _on_request(inner, parse, handler.response_streaming)}
    )


def _on_requests(inner: Any, streams: bool) -> Any:
    async def answer(requests: Any, context: Any) -> Any:
        return await inner(_whole(requests, context), context)

    async def stream(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for reply in _replies(inner(_whole(requests, context), context)):
            yield reply

    return stream if streams else answer


def _on_request(inner: Any, parse: Any, streams: bool) -> Any:
    async def answer(raw: bytes, context: Any) -> Any:
        return await inner(await _parsed(raw, parse, context), context)

    async def stream(raw: bytes, context: Any) -> AsyncIterator[Any]:
        async for reply in _replies(inner(await _parsed(raw, parse, context), context)):
            yield reply

    return stream if streams else answer


async def _whole(requests: Any, context: Any) -> AsyncIterator[Any]:
    try:
        async for request in requests:
            yield request
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, WORDS)


async def _parsed(raw: bytes, parse: Any, context: Any) -> Any:
    try:
        return parse(raw)
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, WORDS)


async def _replies(result: Any) -> AsyncIterator[Any]:
    """Replies of a handler that yields them; one that writes them to its context is only awaited."""
    if hasattr(result, "__aiter__"):
        async for reply in result:
            yield reply
    else:
        await result
