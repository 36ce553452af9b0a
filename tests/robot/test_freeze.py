"""The guardian's freeze on the emulated bus: where the arm is, and never where a damaged packet says."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.bus import EmulatedBus, emulated_bus
from workers.robot.bus import Bus, BusError, SerialPort
from workers.robot.drivers.sts3215 import (
    GOAL_POSITION,
    PRESENT_POSITION,
    TORQUE_ENABLE,
    TORQUE_LIMIT,
    value_in,
)
from workers.robot.freeze import IDS, TORQUE_PERMILLE, Frozen

AHEAD = 200  # counts, as of a worker that dies on the way


@pytest.fixture
def moving() -> Iterator[EmulatedBus]:
    """An arm whose joints hang back behind their goals."""
    with emulated_bus() as bus:
        for joint in ("shoulder_pan", "elbow_flex", "wrist_roll"):
            bus.ask("stick", joint=joint)
        port = SerialPort(bus.port)
        servos = Bus(port)
        here = bus.state()["counts"]
        goals = {each: GOAL_POSITION.encode(here[each - 1] + AHEAD * (each in (1, 3, 5))) for each in IDS}
        servos.sync_write(GOAL_POSITION.address, goals)
        servos.sync_write(TORQUE_ENABLE.address, dict.fromkeys(IDS, b"\1"))
        port.close()
        yield bus


def off(state: dict[str, Any]) -> list[int]:
    return [goal - here for goal, here in zip(state["goal"], state["counts"], strict=True)]


def test_goals_become_where_the_joints_are_and_torque_is_capped(moving: EmulatedBus) -> None:
    assert off(moving.state())[0] == AHEAD
    frozen = Frozen(moving.port)
    frozen.close()
    state = moving.state()
    assert frozen.frozen_ids == IDS
    assert max(abs(each) for each in off(state)[:5]) <= 30
    assert max(state["torque_limit"]) <= TORQUE_PERMILLE and state["torque"] == [1] * 6


def test_a_packet_that_is_wrong_and_looks_right_is_no_goal(
    moving: EmulatedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third reading of the pan joint is off by half a turn, its sum right."""
    real, turn = Bus.sync_read, iter(range(1000))

    def damaged(bus: Bus, ids: Any, address: int, length: int) -> Any:
        replies = real(bus, ids, address, length)
        if address == GOAL_POSITION.address and 1 in replies and next(turn) % 3 == 0:
            data = bytearray(replies[1].data)
            at = PRESENT_POSITION.address - address
            wrong = (value_in(bytes(data), PRESENT_POSITION, address) + 2048) % 4096
            data[at : at + 2] = PRESENT_POSITION.encode(wrong)
            replies[1] = type(replies[1])(replies[1].error_bits, bytes(data))
        return replies

    monkeypatch.setattr(Bus, "sync_read", damaged)
    Frozen(moving.port).close()
    assert abs(off(moving.state())[0]) <= 30


def test_a_torque_limit_that_is_wrong_and_looks_right_leaves_no_joint_limp(
    moving: EmulatedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading of the lift joint's limit says 0, its sum right."""
    real, turn = Bus.sync_read, iter(range(1000))

    def damaged(bus: Bus, ids: Any, address: int, length: int) -> Any:
        replies = real(bus, ids, address, length)
        if address == TORQUE_LIMIT.address and 2 in replies and next(turn) == 0:
            replies[2] = type(replies[2])(replies[2].error_bits, bytes(2))
        return replies

    monkeypatch.setattr(Bus, "sync_read", damaged)
    Frozen(moving.port).close()
    assert moving.state()["torque_limit"][1] == TORQUE_PERMILLE


def test_a_silent_servo_keeps_its_goal_and_the_others_are_held(moving: EmulatedBus) -> None:
    moving.script("silent", ids=[3], count=0)
    frozen = Frozen(moving.port)
    frozen.close()
    assert 3 not in frozen.frozen_ids
    moved = off(moving.state())
    assert moved[2] == AHEAD and abs(moved[0]) <= 30


def test_no_port_is_an_error_of_the_bus() -> None:
    with pytest.raises(BusError):
        Frozen("/dev/nowhere")
