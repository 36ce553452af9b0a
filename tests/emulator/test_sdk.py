"""Feetech's own SDK drives the emulated servos: every instruction, the register file, and what faults do to it."""

import fcntl
import termios
import time
from typing import Any

import pytest
import scservo_sdk as sdk

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
from workers.emulator.registers import Reg

TIOCGEXCL = 0x80045440  # linux/ioctls.h

arm = pytest.fixture(opened_arm, name="arm")


def test_six_servos_answer_a_ping_and_no_other(arm: tuple[EmulatedBus, Any]) -> None:
    _, host = arm
    assert [host.packets.ping(host.port, servo) for servo in range(1, 7)] == [(777, 0, 0)] * 6
    assert host.packets.ping(host.port, 7)[1] == sdk.COMM_RX_TIMEOUT


def test_registers_of_both_sizes_are_read_and_written(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    assert host.packets.write2ByteTxRx(host.port, 3, LIMIT, 0x0123) == (0, 0)
    assert host.packets.write1ByteTxRx(host.port, 3, 41, 77) == (0, 0)
    assert read2(host, 3, LIMIT) == (0x0123, 0, 0)
    assert host.packets.read1ByteTxRx(host.port, 3, 41) == (77, 0, 0)
    assert bus.registers("elbow_flex")[LIMIT : LIMIT + 2] == b"\x23\x01"  # little-endian


def test_what_is_measured_cannot_be_written(arm: tuple[EmulatedBus, Any]) -> None:
    _, host = arm
    before = read2(host, 1, POSITION)
    host.packets.write2ByteTxRx(host.port, 1, POSITION, 7)
    assert read2(host, 1, POSITION) == before


def test_sync_read_and_sync_write_reach_all(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    group = sdk.GroupSyncWrite(host.port, host.packets, LIMIT, 2)
    for servo in range(1, 7):
        group.addParam(servo, [servo, 0])
    assert group.txPacket() == sdk.COMM_SUCCESS
    assert sync_read(host, LIMIT, 2) == (0, [1, 2, 3, 4, 5, 6])
    assert sync_read(host, POSITION, 2) == (0, bus.state()["counts"])


def test_a_registered_write_waits_for_the_action(arm: tuple[EmulatedBus, Any]) -> None:
    _, host = arm
    host.packets.regWriteTxRx(host.port, 2, LIMIT, 2, [9, 0])
    assert read2(host, 2, LIMIT)[0] != 9
    host.packets.action(host.port, 0xFE)
    assert read2(host, 2, LIMIT)[0] == 9


def test_eeprom_keeps_what_was_written_unlocked(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    host.packets.write1ByteTxRx(host.port, 1, 21, 11)  # locked: until the power goes
    host.packets.write1ByteTxRx(host.port, 2, LOCK, 0)
    host.packets.write1ByteTxRx(host.port, 2, 21, 12)
    assert [host.packets.read1ByteTxRx(host.port, servo, 21)[0] for servo in (1, 2)] == [11, 12]
    bus.power_cycle()
    assert [host.packets.read1ByteTxRx(host.port, servo, 21)[0] for servo in (1, 2)] == [16, 12]
    assert host.packets.read1ByteTxRx(host.port, 2, LOCK)[0] == 1


def test_power_brings_torque_off_and_the_stored_torque_limit(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    host.packets.write1ByteTxRx(host.port, 6, TORQUE, 1)
    host.packets.write2ByteTxRx(host.port, 6, LIMIT, 100)
    bus.ask("reboot", joint="gripper")
    assert host.packets.read1ByteTxRx(host.port, 6, TORQUE)[0] == 0
    assert read2(host, 6, LIMIT)[0] == 500


def test_128_makes_this_the_middle(arm: tuple[EmulatedBus, Any]) -> None:
    _, host = arm
    host.packets.write1ByteTxRx(host.port, 2, TORQUE, 128)
    assert read2(host, 2, POSITION)[0] == 2048


def test_another_speed_is_not_understood(arm: tuple[EmulatedBus, Any]) -> None:
    bus, _ = arm
    with opened(bus, 500_000) as host:
        assert host.packets.ping(host.port, 1)[1] == sdk.COMM_RX_TIMEOUT
    bus.ask("store", joint="shoulder_pan", register="BAUD", value=1)
    with opened(bus, 500_000) as host:
        assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS


def test_a_goal_is_reached_and_the_angle_limits_hold(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    host.packets.write2ByteTxRx(host.port, 1, GOAL, 2300)
    host.packets.write1ByteTxRx(host.port, 1, TORQUE, 1)
    wait_until(lambda: abs(bus.state()["counts"][0] - 2300) <= 12)
    limit = int.from_bytes(bus.registers("shoulder_pan")[11:13], "little")
    host.packets.write2ByteTxRx(host.port, 1, GOAL, 4095)
    wait_until(lambda: abs(bus.state()["counts"][0] - limit) <= 12)


def test_the_speed_register_caps_the_speed(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    host.packets.write2ByteTxRx(host.port, 1, 46, 200)
    host.packets.write2ByteTxRx(host.port, 1, GOAL, 2647)
    host.packets.write1ByteTxRx(host.port, 1, TORQUE, 1)
    start = bus.state()
    wait_until(lambda: bus.state()["counts"][0] > 2500)
    end = bus.state()
    speed = (end["counts"][0] - start["counts"][0]) / (end["time_s"] - start["time_s"])
    assert 100 < speed < 215


def test_a_stuck_joint_shows_its_load_and_the_guard_trips(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    bus.ask("stick", joint="shoulder_pan")
    host.packets.write2ByteTxRx(host.port, 1, GOAL, 2600)
    host.packets.write1ByteTxRx(host.port, 1, TORQUE, 1)
    wait_until(lambda: abs(bus.state()["load"][0]) > 900)
    wait_until(lambda: bus.state()["tripped"][0])
    assert host.packets.ping(host.port, 1)[2] & 32
    wait_until(lambda: abs(bus.state()["load"][0]) <= 200)  # protective torque, 20 %


def test_a_hand_moves_a_limp_joint(arm: tuple[EmulatedBus, Any]) -> None:
    bus, _ = arm
    bus.ask("hand", joint="wrist_roll", value=40.0, over_s=0.2)
    wait_until(lambda: abs(bus.state()["deg"][4] - 40.0) < 0.2)


def test_error_bits_come_with_every_reply(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    bus.ask("supply", volts=3.5)
    wait_until(lambda: host.packets.ping(host.port, 4)[2] == 1)
    bus.ask("supply", volts=7.4)
    bus.ask("heat", joint="wrist_flex", celsius=75.0)
    wait_until(lambda: host.packets.ping(host.port, 4)[2] == 4)


def test_the_sdk_takes_a_late_reply_for_the_next_one(arm: tuple[EmulatedBus, Any]) -> None:
    """The defect our own driver must not have: the register asked for is not the one that comes."""
    bus, host = arm
    host.packets.write2ByteTxRx(host.port, 1, LIMIT, 1000)
    bus.script("late", ms=80.0)
    assert read2(host, 1, LIMIT)[1] == sdk.COMM_RX_TIMEOUT
    time.sleep(0.1)
    value, result, _ = read2(host, 1, POSITION)
    assert (value, result) == (1000, sdk.COMM_SUCCESS)
    assert bus.state()["counts"][0] == 2047


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ({"kind": "drop"}, sdk.COMM_RX_TIMEOUT),
        ({"kind": "lost"}, sdk.COMM_RX_TIMEOUT),
        ({"kind": "truncate", "byte": 5}, sdk.COMM_RX_CORRUPT),
        ({"kind": "corrupt", "byte": 6, "bit": 3}, sdk.COMM_RX_CORRUPT),
        ({"kind": "lose_byte", "byte": 5}, sdk.COMM_RX_CORRUPT),
    ],
)
def test_faults_of_one_reply(arm: tuple[EmulatedBus, Any], fault: dict[str, Any], result: int) -> None:
    bus, host = arm
    bus.script(**fault)
    assert read2(host, 1, POSITION)[1] == result
    assert read2(host, 1, POSITION) == (2047, 0, 0)
    assert sum(bus.ask("counters")["met"].values()) == 1


def test_a_missing_servo_fails_the_whole_sync_read(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    bus.script("silent", ids=[3], count=0)
    result, values = sync_read(host, POSITION, 2)
    assert result != sdk.COMM_SUCCESS
    assert values[2] == 0  # a legal position, and wrong
    bus.clear()
    assert sync_read(host, POSITION, 2)[0] == sdk.COMM_SUCCESS


def test_an_echo_is_taken_for_a_reply(arm: tuple[EmulatedBus, Any]) -> None:
    bus, host = arm
    bus.script("echo")
    assert read2(host, 1, POSITION)[0] == 568  # 0x0238: address and length of the request


def test_the_port_goes_and_comes_back_under_its_name() -> None:
    with emulated_bus() as bus:
        with opened(bus) as host:
            assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS
            bus.unplug()
            with pytest.raises(Exception):  # noqa: B017, PT011  # termios.error or SerialException, as it falls
                host.packets.ping(host.port, 1)
            host.port.ser.close()
        bus.replug()
        with opened(bus) as host:
            assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS


def test_new_servos_share_an_id_until_they_are_told_apart() -> None:
    with emulated_bus(state="factory") as bus, opened(bus) as host:
        assert host.packets.ping(host.port, 1)[1] == sdk.COMM_RX_TIMEOUT  # none is plugged in
        bus.ask("plug", joint="gripper")
        host.packets.write1ByteTxRx(host.port, 1, LOCK, 0)
        host.packets.write1ByteTxRx(host.port, 1, 5, 6)
        assert host.packets.ping(host.port, 6)[1] == sdk.COMM_SUCCESS
        bus.ask("plug", joint="elbow_flex")
        assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS


def test_wire_time_is_kept(arm: tuple[EmulatedBus, Any]) -> None:
    """At 38,400 baud an exchange of 16 bytes takes over 4 ms; on the real wire, too."""
    bus, _ = arm
    bus.ask("store", joint="shoulder_pan", register="BAUD", value=7)
    with opened(bus, 38_400) as host:
        start_s = time.monotonic()
        for _ in range(20):
            assert read2(host, 1, POSITION)[1] == sdk.COMM_SUCCESS
        assert time.monotonic() - start_s > 20 * 16 * 10 / 38_400


def test_names_of_registers_are_those_of_the_table() -> None:
    assert (Reg.PRESENT_POSITION, Reg.GOAL_POSITION, Reg.TORQUE_LIMIT, Reg.LOCK) == (56, 42, 48, 55)


def test_a_port_that_was_taken_for_one_alone_is_free_when_that_one_is_gone(
    arm: tuple[EmulatedBus, Any],
) -> None:
    """Root may open a port in spite of TIOCEXCL, so the mode itself is asked for."""
    bus, host = arm
    mode = bytearray(4)
    with open(bus.port, "rb+", buffering=0) as own:
        fcntl.flock(own, fcntl.LOCK_EX)
        fcntl.ioctl(own, termios.TIOCEXCL)
        time.sleep(0.3)
        fcntl.ioctl(own, TIOCGEXCL, mode)
        assert mode[0] == 1
    assert host.packets.ping(host.port, 1)[1] == sdk.COMM_SUCCESS

    def is_free() -> bool:
        fcntl.ioctl(host.port.ser.fileno(), TIOCGEXCL, mode)
        return mode[0] == 0

    wait_until(is_free)
