"""The door before the learner's server: its pace for each address, and what passes through it unchanged."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest

from tests.emulators.echo_services import methods
from tests.emulators.learner_server import Learner
from workers.transport import door as door_room
from workers.transport.channel import dial
from workers.transport.door import DEAF_AFTER, Door
from workers.transport.door_filter import deafen
from workers.transport.door_rates import BARREN, BURST, DEBT, MOST_ADDRESSES, RATE_HZ, Rates

CHECK = next(method for method in methods() if method.name == "Check")


@pytest.fixture
def unhurried() -> None:
    """Not here: this is about the door's pace."""


@dataclass
class House:
    """A door, and behind it a server that says everything back."""

    door: Door
    noted: list[tuple[str, str]]
    peers: list[str] = field(default_factory=list)

    async def visit(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.door.port, local_addr=(source, 0))

    async def is_let_in(self, source: str) -> bool:
        with contextlib.suppress(ConnectionError):
            reader, writer = await self.visit(source)
            writer.write(b"hello")
            answer = await reader.read(5)
            writer.close()
            return answer == b"hello"
        return False


@pytest.fixture
async def house() -> AsyncIterator[House]:
    noted: list[tuple[str, str]] = []
    made = House(Door("127.0.0.1", 0, lambda address, what: noted.append((address, what))), noted)

    async def say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        made.peers.append(f"ipv4:{name[0]}:{name[1]}")
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(say_back, "127.0.0.1", 0)
    made.door.open(server.sockets[0].getsockname()[1])
    yield made
    made.door.close()
    server.close()


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def admitted(rates: Rates, address: str, attempts: int) -> int:
    return sum(rates.admit(address) for _ in range(attempts))


def test_an_address_gets_a_burst_and_then_ten_connections_a_second() -> None:
    clock = Clock()
    rates = Rates(clock)
    assert admitted(rates, "10.0.0.7", 1000) == BURST
    for _ in range(5):
        clock.now_s += 1.0
        assert admitted(rates, "10.0.0.7", 1000) == RATE_HZ
    assert admitted(rates, "10.0.0.8", 1000) == BURST


def test_connections_without_a_token_cost_more_and_never_more_than_some_seconds() -> None:
    clock = Clock()
    rates = Rates(clock)

    def in_vain(attempts: int) -> int:
        let_in = 0
        for _ in range(attempts):
            if rates.admit("10.0.0.7"):
                rates.barren("10.0.0.7")
                let_in += 1
        return let_in

    assert in_vain(1000) == BURST / (1.0 + BARREN)
    clock.now_s += 10.0
    assert in_vain(1000) == BURST / (1.0 + BARREN)
    for _ in range(100):
        rates.barren("10.0.0.7")
    assert rates.wait_s("10.0.0.7") == pytest.approx((DEBT + 1.0) / RATE_HZ)


def test_strangers_cannot_fill_the_memory_with_buckets() -> None:
    rates = Rates()
    for number in range(2 * MOST_ADDRESSES):
        rates.admit(f"2001:db8:{number:x}::/64")
    assert len(rates) == MOST_ADDRESSES


async def test_bytes_pass_unchanged_both_ways_however_many(house: House) -> None:
    sent = bytes(range(256)) * (1 << 15)  # 8 MiB: more than all buffers on the way hold
    reader, writer = await house.visit()
    writing = asyncio.ensure_future(_write(writer, sent))
    assert await reader.readexactly(len(sent)) == sent
    await writing
    writer.close()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def test_a_peer_is_known_by_the_address_it_came_from_also_after_it_left(house: House) -> None:
    reader, writer = await house.visit("127.0.0.9")
    writer.write(b"x")
    await reader.readexactly(1)
    assert house.door.address(house.peers[0]) == "127.0.0.9"
    writer.close()
    await asyncio.sleep(0.1)
    assert house.door.address(house.peers[0]) == "127.0.0.9"
    assert house.door.address("ipv4:127.0.0.1:1") is None


async def test_who_comes_too_often_is_hung_up_on_and_others_are_not(house: House) -> None:
    let_in = [await house.is_let_in("127.0.0.2")]
    while all(let_in) and len(let_in) < BURST + 5:
        let_in.append(await house.is_let_in("127.0.0.2"))
    assert not all(let_in) and let_in[0]
    assert ("127.0.0.2", "connections in too quick succession") in house.noted
    assert await house.is_let_in("127.0.0.3")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel drops nothing for us")
async def test_who_goes_on_is_not_even_answered_for_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_room, "DEAF_S", 2.0)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            for _ in range(int(BURST) + 2 * DEAF_AFTER):
                await house.is_let_in("127.0.0.2")
    noted = len(house.noted)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await house.visit("127.0.0.2")
    assert len(house.noted) == noted
    assert await house.is_let_in("127.0.0.3")
    async with asyncio.timeout(10.0):
        while not await house.is_let_in("127.0.0.2"):
            await asyncio.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_deafness_is_of_the_named_addresses_only_and_open_connections_go_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 1.0, ("127.0.0.2", 0)) as earlier:
            deafen(listener, ["127.0.0.2", "2001:db8::/64"])
            with pytest.raises(TimeoutError):
                socket.create_connection(("127.0.0.1", port), 0.3, ("127.0.0.2", 0))
            socket.create_connection(("127.0.0.1", port), 1.0, ("127.0.0.3", 0)).close()
            accepted, _ = listener.accept()
            with accepted:
                earlier.sendall(b"x")
                assert accepted.recv(1) == b"x"
        deafen(listener, [])
        socket.create_connection(("127.0.0.1", port), 1.0, ("127.0.0.2", 0)).close()


async def test_a_stranger_s_connection_ends_after_a_few_calls_a_robot_s_does_not(learner: Learner) -> None:
    async with learner.stranger() as channel:
        first = [await CHECK.call(channel) for _ in range(3)]
        await asyncio.sleep(2 * door_room.LAST_WORD_S)
        assert channel.get_state() is not grpc.ChannelConnectivity.READY
    assert set(first) == {grpc.StatusCode.UNAUTHENTICATED}
    async with dial(learner.address) as channel:
        for _ in range(10):
            assert await CHECK.call(channel) is grpc.StatusCode.OK
        await asyncio.sleep(2 * door_room.LAST_WORD_S)
        assert channel.get_state() is grpc.ChannelConnectivity.READY


async def test_a_robot_may_come_and_go_as_fast_as_it_retries(learner: Learner) -> None:
    for _ in range(int(BURST) + 10):  # a link that is cut all the time tries five times a second
        async with dial(learner.address) as channel:
            assert await CHECK.call(channel) is grpc.StatusCode.OK
        await asyncio.sleep(0.08)
