"""Every fault of the bus as its host meets it, through Feetech's own SDK or as bare bytes."""

import os
import select
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import scservo_sdk as sdk
import serial

from tests.emulator.host import (
    GOAL,
    LIMIT,
    LOCK,
    POSITION,
    TORQUE,
    opened,
    opened_arm,
    read2,
    sync_read,
    wait_until,
)
from tests.emulators.bus import EmulatedBus, emulated_bus
from workers.emulator.wire import BROADCAST, Instruction, frame

Both = tuple[EmulatedBus, Any]
arm = pytest.fixture(opened_arm, name="arm")
PING_1 = frame(1, Instruction.PING)
REPLY_1 = frame(1, 0)


@contextmanager
def bare(bus: EmulatedBus) -> Iterator[Any]:
    """An exchange without a driver: bytes out, and all that comes back until it has been quiet for a while."""
    with closing(serial.Serial(bus.port, 1_000_000, timeout=0)) as port:

        def exchange(sent: bytes, quiet_s: float = 0.3) -> bytes:
            port.write(sent)
            heard = b""
            while select.select([port], [], [], quiet_s)[0]:
                heard += port.read(4096)
            return heard

        yield exchange


def test_a_late_first_reply_shifts_the_sdks_next_group(arm: Both) -> None:
    """S5: the position of one cycle is taken for the torque limit of the next, with success."""
    bus, host = arm
    bus.script("late", ms=60.0, position=0)
    assert sync_read(host, POSITION, 2, range(1, 2))[0] != sdk.COMM_SUCCESS
    time.sleep(0.1)
    assert sync_read(host, LIMIT, 2, range(1, 2)) == (sdk.COMM_SUCCESS, [2047])


def test_a_late_reply_of_another_length_is_taken_too(arm: Both) -> None:
    """S4: one byte (temperature) where two (position) were asked for."""
    bus, host = arm
    bus.script("late", ms=60.0)
    assert host.packets.read1ByteTxRx(host.port, 1, 63)[1] == sdk.COMM_RX_TIMEOUT
    time.sleep(0.1)
    temperature = bus.registers("shoulder_pan")[63]
    taken = temperature | frame(1, 0, bytes((temperature,)))[-1] << 8  # the sum, for want of a second byte
    assert read2(host, 1, POSITION) == (taken, sdk.COMM_SUCCESS, 0)


@pytest.mark.parametrize("position", range(6))
def test_one_late_reply_of_a_group_comes_after_the_others(arm: Both, position: int) -> None:
    bus, _ = arm
    bus.script("late", ms=50.0, position=position, instruction=int(Instruction.SYNC_READ))
    with bare(bus) as exchange:
        heard = exchange(frame(BROADCAST, Instruction.SYNC_READ, bytes((LOCK, 1, 1, 2, 3, 4, 5, 6))))
    assert len(heard) == 6 * 7
    order = [heard[at + 2] for at in range(0, len(heard), 7)]
    on_time = [servo for servo in range(1, 7) if servo != position + 1]
    assert order == [*on_time, position + 1]


def test_doubled_foreign_and_echoed_frames(arm: Both) -> None:
    bus, _ = arm
    foreign = frame(9, 0, b"\x01\x02")
    with bare(bus) as exchange:
        bus.script("duplicate")
        assert exchange(PING_1) == REPLY_1 * 2
        bus.script("foreign", data=foreign.hex())
        assert exchange(PING_1) == foreign + REPLY_1
        bus.script("echo")
        assert exchange(PING_1) == PING_1 + REPLY_1
        assert exchange(PING_1) == REPLY_1  # each was for once


def test_babble_comes_unasked(arm: Both) -> None:
    bus, host = arm
    bus.ask("babble", data="00" * 200, count=15)
    wait_until(lambda: host.port.getBytesAvailable() == 3000)
    host.port.ser.reset_input_buffer()
    assert read2(host, 1, POSITION) == (2047, 0, 0)


@pytest.mark.parametrize(
    "bad", [b"\xff\xff\x01\x02\x01\x00", b"\xff\xff\x01\x00\x01", b"\x01\x02\x03", b"\xff" * 7]
)
def test_what_is_no_request_is_passed_over(arm: Both, bad: bytes) -> None:
    bus, _ = arm
    with bare(bus) as exchange:
        assert exchange(bad) == b""
        assert exchange(PING_1) == REPLY_1
        assert exchange(bad + PING_1) == REPLY_1


def test_every_byte_of_a_reply_can_go_wrong_and_the_next_is_whole(arm: Both) -> None:
    bus, _ = arm
    with bare(bus) as exchange:
        for byte in range(len(REPLY_1)):
            bus.script("truncate", byte=byte)
            assert exchange(PING_1, 0.03) == REPLY_1[:byte]
            bus.script("lose_byte", byte=byte)
            assert exchange(PING_1, 0.03) == REPLY_1[:byte] + REPLY_1[byte + 1 :]
            bus.script("corrupt", byte=byte, bit=byte)
            assert sum(a != b for a, b in zip(exchange(PING_1, 0.03), REPLY_1, strict=True)) == 1
        assert exchange(PING_1) == REPLY_1


@pytest.mark.parametrize("bit", [1, 2, 4, 8, 32])
def test_each_error_bit_is_in_every_reply_of_its_servo_alone(arm: Both, bit: int) -> None:
    bus, host = arm
    bus.ask("errors", joint="elbow_flex", bits=bit)
    wait_until(lambda: read2(host, 3, POSITION)[2] == bit)
    assert host.packets.ping(host.port, 3)[2] == bit
    assert host.packets.write1ByteTxRx(host.port, 3, 41, 5) == (0, bit)
    assert host.packets.ping(host.port, 2)[2] == 0
    bus.ask("errors", joint="elbow_flex", bits=0)
    wait_until(lambda: read2(host, 3, POSITION)[2] == 0)


def test_random_faults_come_at_their_rates_and_again_with_the_seed(arm: Both) -> None:
    bus, host = arm
    seen = []
    for _ in range(2):
        before = bus.ask("counters")["met"]
        bus.rates(drop=0.1, corrupt=0.1, truncate=0.1, lost=0.1, seed=4)
        for _ in range(60):
            read2(host, 1, POSITION)
            host.port.ser.reset_input_buffer()
        bus.clear()
        seen.append({kind: count - before.get(kind, 0) for kind, count in bus.ask("counters")["met"].items()})
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"drop", "corrupt", "truncate", "lost"}
    assert 10 < sum(seen[0].values()) < 40


@pytest.mark.parametrize(("when", "byte", "heard"), [("request", 0, b""), ("reply", 3, REPLY_1[:3])])
def test_the_port_goes_amid_an_exchange(when: str, byte: int, heard: bytes) -> None:
    with emulated_bus() as bus:
        with closing(serial.Serial(bus.port, 1_000_000, timeout=0)) as port:
            bus.script("unplug", when=when, byte=byte)
            port.write(PING_1)
            wait_until(lambda: not os.path.lexists(bus.port))
            # what was under way may be lost with the port, as it is in a USB adapter; nothing else may come
            assert _rest(port.fileno()) in (b"", heard)
        bus.replug()
        with bare(bus) as exchange:
            assert exchange(PING_1) == REPLY_1


def _rest(port: int) -> bytes:
    try:
        return os.read(port, 100)
    except OSError:
        return b""


def test_the_port_goes_after_an_answer_and_torque_stays(arm: Both) -> None:
    """Pulling the USB plug does not take the supply away."""
    bus, host = arm
    bus.script("unplug", when="answered")
    host.packets.write1ByteTxOnly(host.port, 1, TORQUE, 1)
    wait_until(lambda: not os.path.lexists(bus.port))
    assert bus.state()["torque"] == [1, 0, 0, 0, 0, 0]


def test_two_servos_of_one_id_spoil_each_others_replies(arm: Both) -> None:
    bus, host = arm
    bus.ask("hand", joint="shoulder_pan", value=11.0)
    bus.ask("store", joint="wrist_roll", register="ID", value=1)
    assert host.packets.ping(host.port, 5)[1] == sdk.COMM_RX_TIMEOUT
    raw = sdk.GroupSyncRead(host.port, host.packets, POSITION, 15)
    raw.addParam(1)
    assert raw.txRxPacket() == sdk.COMM_RX_CORRUPT


def test_other_models_and_mixed_firmware_show() -> None:
    firmware = [[3, 10]] * 5 + [[3, 9]]
    with emulated_bus(models=[777] * 5 + [1284], firmware=firmware) as bus, opened(bus) as host:
        assert [host.packets.ping(host.port, servo)[0] for servo in (5, 6)] == [777, 1284]
        assert [host.packets.read1ByteTxRx(host.port, servo, 1)[0] for servo in (5, 6)] == [10, 9]


def test_a_quiet_reply_level_leaves_writes_unanswered(arm: Both) -> None:
    bus, host = arm
    bus.ask("store", joint="shoulder_pan", register="REPLY_LEVEL", value=0)
    assert host.packets.write2ByteTxRx(host.port, 1, LIMIT, 321)[0] == sdk.COMM_RX_TIMEOUT
    assert read2(host, 1, LIMIT) == (321, 0, 0)


def test_only_a_ping_of_all_is_answered_by_all(arm: Both) -> None:
    bus, _ = arm
    with bare(bus) as exchange:
        heard = exchange(frame(BROADCAST, Instruction.PING))
        assert heard == b"".join(frame(servo, 0) for servo in range(1, 7))
        assert exchange(frame(BROADCAST, Instruction.WRITE, bytes((GOAL, 0, 8)))) == b""
    assert bus.state()["goal"] == [2048] * 6


def test_recovery_keeps_id_and_speed_and_reset_is_a_restart(arm: Both) -> None:
    bus, _ = arm
    with bare(bus) as exchange:
        assert exchange(frame(6, Instruction.RECOVERY)) == frame(6, 0)
        gripper = bus.registers("gripper")
        assert (gripper[5], gripper[6], gripper[21]) == (6, 0, 32)
        assert int.from_bytes(gripper[16:18], "little") == 1000
        exchange(frame(1, Instruction.WRITE, bytes((TORQUE, 1))))
        assert exchange(frame(1, Instruction.RESET)) == REPLY_1
    assert bus.state()["torque"] == [0] * 6


def test_an_id_changes_after_the_reply_to_that_write(arm: Both) -> None:
    """LeRobot's set-up counts on it: the old id answers."""
    bus, _ = arm
    with bare(bus) as exchange:
        assert exchange(frame(1, Instruction.WRITE, bytes((5, 40)))) == REPLY_1
        assert exchange(frame(40, Instruction.PING)) == frame(40, 0)
    bus.power_cycle()  # it was locked
    assert bus.registers("shoulder_pan")[5] == 1
