"""Bytes: ours are the SDK's; and no bytes make the receiver fail or believe what was not said."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scservo_sdk import GroupSyncRead, GroupSyncWrite, PacketHandler

from tests.robot.bus.fake_port import FakePort, status
from workers.robot.bus import Bus, BusError
from workers.robot.bus.packet import (
    PING,
    READ,
    WRITE,
    Incoming,
    request,
    sync_read_request,
    sync_write_request,
)

IDS = st.lists(st.integers(0, 253), min_size=1, max_size=6, unique=True)


class SdkPort:
    """As much of the SDK's port as sending needs."""

    def __init__(self) -> None:
        self.sent = b""
        self.is_using = False

    def clearPort(self) -> None:
        pass

    def writePort(self, packet: list[int]) -> int:
        self.sent = bytes(packet)
        return len(packet)

    def setPacketTimeout(self, length: int) -> None:
        pass


def sent_by_sdk(use: Any) -> bytes:
    port = SdkPort()
    use(port, PacketHandler(0))
    return port.sent


@given(st.integers(0, 253), st.integers(0, 86), st.integers(1, 87))
def test_a_read_is_byte_for_byte_the_sdks(servo_id: int, address: int, length: int) -> None:
    sdk = sent_by_sdk(lambda port, packets: packets.readTx(port, servo_id, address, length))
    assert request(servo_id, READ, bytes((address, length))) == sdk


@given(st.integers(0, 253), st.integers(0, 86), st.binary(min_size=1, max_size=16))
def test_a_write_is_byte_for_byte_the_sdks(servo_id: int, address: int, data: bytes) -> None:
    sdk = sent_by_sdk(
        lambda port, packets: packets.writeTxOnly(port, servo_id, address, len(data), list(data))
    )
    assert request(servo_id, WRITE, bytes((address,)) + data) == sdk


@given(st.integers(0, 253))
def test_a_ping_is_byte_for_byte_the_sdks(servo_id: int) -> None:
    packet = [0, 0, servo_id, 2, PING, 0]
    assert request(servo_id, PING) == sent_by_sdk(lambda port, packets: packets.txPacket(port, packet))


@given(IDS, st.integers(0, 86), st.integers(1, 87))
def test_a_sync_read_is_byte_for_byte_the_sdks(ids: list[int], address: int, length: int) -> None:
    def use(port: SdkPort, packets: Any) -> None:
        group = GroupSyncRead(port, packets, address, length)
        for each in ids:
            group.addParam(each)
        group.txPacket()

    assert sync_read_request(address, length, tuple(ids)) == sent_by_sdk(use)


@given(IDS, st.integers(0, 86), st.data())
def test_a_sync_write_is_byte_for_byte_the_sdks(ids: list[int], address: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 8))
    written = {each: data.draw(st.binary(min_size=size, max_size=size)) for each in ids}

    def use(port: SdkPort, packets: Any) -> None:
        group = GroupSyncWrite(port, packets, address, size)
        for each, values in written.items():
            group.addParam(each, list(values))
        group.txPacket()

    assert sync_write_request(address, written) == sent_by_sdk(use)


NOISE = st.one_of(
    st.binary(max_size=40),
    st.builds(status, st.integers(0, 253), st.binary(max_size=20), st.integers(0, 255)),
    st.builds(lambda length: b"\xff" * length, st.integers(1, 8)),
)
CHUNKS = st.lists(st.tuples(st.floats(0.0, 0.6), NOISE), max_size=12)


@settings(max_examples=500, deadline=None)
@given(st.lists(CHUNKS, min_size=1, max_size=4), st.integers(1, 20))
def test_whatever_arrives_raises_nothing_but_bus_errors(exchanges: list[Any], length: int) -> None:
    pending = iter(exchanges)
    port = FakePort(lambda sent: next(pending, []))
    bus = Bus(port)
    for number, _ in enumerate(exchanges):
        begun_s = port.time_s
        try:
            if number % 2:
                assert len(bus.read(1, 56, length).data) == length
            else:
                assert all(
                    len(reply.data) == length for reply in bus.sync_read((1, 2, 3), 56, length).values()
                )
        except BusError:
            pass
        assert port.time_s - begun_s < 0.3


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=30)), max_size=6), st.data())
def test_replies_are_found_however_the_bytes_are_cut_and_whatever_lies_before_them(
    between: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    """Noise without a packet's head, so that nothing in it can pass for one; a reply right before it is doubtful."""
    replies = {each: data.draw(st.binary(min_size=15, max_size=15)) for each in (1, 2, 3)}
    noise = [part.replace(b"\xff", b"\xfe") for _, part in between] + [b"", b"", b""]
    stream = b"".join(part + status(each, replies[each]) for part, each in zip(noise, replies, strict=False))
    incoming = Incoming(request(1, READ, b"\x38\x0f"), dict.fromkeys(replies, 15))
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        incoming.feed(stream[:cut])
        stream = stream[cut:]
    clear = {each for each, after in zip(replies, [*noise[1:3], b""], strict=True) if not after}
    assert {each: reply.data for each, reply in incoming.replies.items()} == {
        each: replies[each] for each in clear
    }


@pytest.mark.parametrize("fault", ["flip", "drop", "double", "truncate"])
def test_one_fault_at_any_byte_of_a_reply_is_never_believed(fault: str) -> None:
    """Exhaustive over one exchange of two servos; the other one's reply may be lost, never wrong."""
    sound = {1: bytes(range(15)), 2: bytes(range(100, 115))}
    stream = status(1, sound[1]) + status(2, sound[2])
    for at in range(len(stream)):
        for bit in range(8) if fault == "flip" else (0,):
            hurt = {
                "flip": stream[:at] + bytes((stream[at] ^ 1 << bit,)) + stream[at + 1 :],
                "drop": stream[:at] + stream[at + 1 :],
                "double": stream[:at] + stream[at : at + 1] + stream[at:],
                "truncate": stream[:at],
            }[fault]
            incoming = Incoming(sync_read_request(56, 15, (1, 2)), {1: 15, 2: 15})
            incoming.feed(hurt)
            for each, reply in incoming.replies.items():
                assert reply.data == sound[each]
                assert reply.error_bits == 0


@pytest.mark.parametrize("tail", [b"\0\x05", b"\0\xff\x05", b"\0\0\0\x31"])
@pytest.mark.parametrize("lost_at", range(5, 20))
def test_a_reply_short_of_a_zero_is_not_made_whole_by_the_rest_of_another_packet(
    lost_at: int, tail: bytes
) -> None:
    """Its sum fits then: what should be the sum has become data, and the zero after it the sum."""
    data = bytearray(range(1, 16))
    data[lost_at - 5] = 0
    torn = status(1, bytes(data))
    incoming = Incoming(sync_read_request(56, 15, (1, 2)), {1: 15, 2: 15})
    incoming.feed(torn[:lost_at] + torn[lost_at + 1 :] + tail + status(2, bytes(15)))
    assert set(incoming.replies) == {2} and incoming.doubted == {1}


def test_a_torn_reply_at_the_end_of_an_exchange_is_not_believed_either() -> None:
    data = bytes((1, 0, *range(2, 15)))
    torn = status(1, data).replace(b"\x01\0\x02", b"\x01\x02") + b"\0\x05"
    incoming = Incoming(request(1, READ, b"\x38\x0f"), {1: 15})
    incoming.feed(torn)
    incoming.finish()
    assert not incoming.replies and incoming.complete


class StepByStep(Incoming):
    def _is_everything(self, chunk: bytes) -> bool:
        return False


@settings(max_examples=400)
@given(IDS, st.integers(0, 20), st.data())
def test_replies_taken_at_once_are_those_taken_step_by_step(ids: list[int], size: int, data: Any) -> None:
    line = b"".join(status(each, data.draw(st.binary(min_size=size, max_size=size))) for each in ids)
    hit = bytearray(data.draw(st.sampled_from([b"", b"\xff"]))) + line
    for _ in range(data.draw(st.integers(0, 2))):
        hit[data.draw(st.integers(0, len(hit) - 1))] = data.draw(st.integers(0, 255))
    sent = data.draw(
        st.sampled_from([sync_read_request(56, size, tuple(ids)), request(ids[0], PING), b"\xff\xff"])
    )
    at_once, in_steps = (kind(sent, dict.fromkeys(ids, size)) for kind in (Incoming, StepByStep))
    for incoming in (at_once, in_steps):
        incoming.feed(bytes(hit))
        incoming.finish()
    for figure in (
        "replies",
        "strangers",
        "skipped",
        "spoilt",
        "unreadable",
        "doubted",
        "echoed",
        "complete",
    ):
        assert getattr(at_once, figure) == getattr(in_steps, figure), figure
