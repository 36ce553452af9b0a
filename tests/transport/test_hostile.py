"""Strangers at the port, and robots gone bad: refused in order, and the learner serves on as before."""

import asyncio
import contextlib
import os
import random
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from tests.emulators.echo_services import Method, methods
from tests.emulators.hostile_client import bombard
from tests.emulators.learner_process import learner_process
from tests.emulators.learner_server import Learner, learner_at
from workers.transport import door_rates, limits
from workers.transport.certificate import NAME
from workers.transport.channel import dial
from workers.transport.enrolment_service import METHOD as ENROL
from workers.transport.limits import HANDSHAKE_S, MESSAGE_BYTES, channel_options
from workers.transport.pb import learner_pb2
from workers.transport.tokens import SessionTokens

CHECK = next(method for method in methods() if method.name == "Check")
MESSAGES = 304
SLOW = 200
STRANGER = ("127.0.0.2", 0)
"""Where strangers come from; robots come from 127.0.0.1."""


@pytest.fixture
async def serving(learner: Learner) -> AsyncIterator[Learner]:
    """A learner that must serve a joined robot when the test is over, and has called no handler before."""
    yield learner
    assert learner.echo.called == []
    async with dial(learner.address) as channel:
        assert await CHECK.call(channel) is grpc.StatusCode.OK


async def send(learner: Learner, data: bytes) -> bytes:
    """Raw bytes to the port; what came back."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", learner.server.port, local_addr=STRANGER)
    except ConnectionError:
        return b""
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 2 * HANDSHAKE_S)
    writer.close()
    return b""


async def test_plain_text_is_not_spoken_here(serving: Learner) -> None:
    for data in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        assert b"HTTP" not in await send(serving, data)


async def test_noise_is_hung_up_on(serving: Learner) -> None:
    rng = random.Random(1)
    handshakes = (b"\x16\x03\x01" + rng.randbytes(rng.randrange(400)) for _ in range(20))
    noise = (rng.randbytes(rng.randrange(2000)) for _ in range(20))
    await asyncio.gather(*(send(serving, data) for data in (*noise, *handshakes, b"")))


async def test_a_client_that_speaks_no_http2_gets_nowhere(serving: Learner) -> None:
    context = ssl.create_default_context(cadata=serving.server.certificate.decode())
    said = b""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        reader, _ = await asyncio.open_connection(
            "127.0.0.1", serving.server.port, ssl=context, server_hostname=NAME
        )
        said = await asyncio.wait_for(reader.read(), 2 * HANDSHAKE_S)
    assert said == b""


async def test_a_client_that_trusts_other_authorities_sees_through_it(serving: Learner) -> None:
    channel = grpc.aio.secure_channel(
        serving.address, grpc.ssl_channel_credentials(), options=channel_options(NAME)
    )
    assert await CHECK.call(channel, timeout_s=1.0) is grpc.StatusCode.UNAVAILABLE
    await channel.close()


@pytest.mark.parametrize("burst", [door_rates.BURST, SLOW])
async def test_slow_ones_do_not_keep_others_out_and_are_hung_up_on(
    serving: Learner, burst: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_rates, "BURST", burst)
    loop = asyncio.get_running_loop()
    slow = [socket.socket() for _ in range(SLOW)]
    for one in slow:
        one.bind(STRANGER)
        one.setblocking(False)
    trying = [loop.sock_connect(one, ("127.0.0.1", serving.server.port)) for one in slow]
    await asyncio.wait([asyncio.ensure_future(one) for one in trying], timeout=1.0)
    async with dial(serving.address) as channel:
        assert await CHECK.call(channel, timeout_s=2.0) is grpc.StatusCode.OK
    serving.echo.called.clear()
    for one in slow:
        with contextlib.suppress(OSError):
            await asyncio.wait_for(loop.sock_recv(one, 1), 2 * HANDSHAKE_S)
        one.close()


@pytest.mark.usefixtures("unhurried")
async def test_open_connections_are_bounded(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 32)
    learner = learner_at()
    await learner.server.start()
    before = len(os.listdir("/proc/self/fd"))
    crowd = [socket.create_connection(("127.0.0.1", learner.server.port)) for _ in range(100)]
    await asyncio.sleep(0.3)
    assert len(os.listdir("/proc/self/fd")) - before - len(crowd) <= 3 * 32 + 4
    for one in crowd:
        one.close()
    await asyncio.sleep(0.3)
    async with dial(learner.address) as channel:
        assert await CHECK.call(channel) is grpc.StatusCode.OK
    await learner.server.stop(0.0)


def unlimited(learner: Learner, token: str) -> grpc.aio.Channel:
    """A channel of a robot that keeps to no limit."""
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(learner.server.certificate), grpc.access_token_call_credentials(token)
    )
    options = [one for one in channel_options(NAME) if one[0] != "grpc.max_send_message_length"]
    return grpc.aio.secure_channel(learner.address, credentials, options=options)


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path)
async def test_a_message_too_large_ends_its_call(learner: Learner, state: Path, method: Method) -> None:
    async with unlimited(learner, SessionTokens(state / "learner").issue("ada@robot")) as channel:
        sent = [bytes(2 * MESSAGE_BYTES)]
        assert await method.call(channel, *sent) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await method.call(channel) is grpc.StatusCode.OK


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path)
async def test_a_message_that_cannot_be_parsed_ends_its_call_without_a_traceback(
    learner: Learner, state: Path, method: Method, caplog: pytest.LogCaptureFixture
) -> None:
    async with unlimited(learner, SessionTokens(state / "learner").issue("ada@robot")) as channel:
        assert await method.call(channel, b"\xff" * 40) is grpc.StatusCode.INVALID_ARGUMENT
    assert caplog.text == ""


async def test_a_packed_message_is_not_unpacked(learner: Learner, state: Path) -> None:
    """2 MiB of gzip would unpack to 2 GiB."""
    async with unlimited(learner, SessionTokens(state / "learner").issue("ada@robot")) as channel:
        request = learner_pb2.FetchPolicyRequest(sha256=bytes(2**21)).SerializeToString()
        call = channel.unary_stream("/hilserl.v1.Learner/FetchPolicy")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async for _ in call(request, compression=grpc.Compression.Gzip):
                pass
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert learner.echo.called == []


async def test_an_attempt_to_join_that_is_nonsense_counts_as_a_failure(serving: Learner) -> None:
    codes = []
    async with serving.stranger() as channel:
        for data in (b"\xff" * 40, b"", b"\x0a\x03a\x1bb", bytes(100), bytes(2 * MESSAGE_BYTES - 100), b""):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await channel.unary_unary(ENROL)(data[:MESSAGE_BYTES])
            codes.append(refused.value.code())
    assert codes[-1] is grpc.StatusCode.RESOURCE_EXHAUSTED  # the sixth within a minute is not even read
    assert not {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN} & set(codes)


async def test_a_thousand_calls_of_a_stranger_are_one_line_in_the_log(serving: Learner) -> None:
    async with serving.stranger() as channel:
        for _ in range(100):
            ended = await asyncio.gather(*(CHECK.call(channel) for _ in range(10)))
            assert set(ended) == {grpc.StatusCode.UNAUTHENTICATED}
    assert len(serving.events) == 1


async def test_a_robot_gone_bad_leaves_the_learner_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with learner_process(tmp_path) as learner:
        before_mib, before_files = learner.resident_mib(), learner.open_files()
        for method in methods():
            ended = await bombard(learner, method, MESSAGES, seed=1)
            assert sum(ended.values()) == MESSAGES
            assert not {grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE} & set(ended)
        async with dial(learner.address) as channel:
            assert await CHECK.call(channel) is grpc.StatusCode.OK
        assert learner.alive and "Traceback" not in learner.output.read_text()
        assert learner.resident_mib() - before_mib < 64
        assert learner.open_files() - before_files < 16
