"""Feetech's own SDK as the host of an emulated bus, for the tests of the emulator."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import scservo_sdk as sdk

from tests.emulators.bus import EmulatedBus, emulated_bus

POSITION, GOAL, TORQUE, LIMIT, LOCK = 56, 42, 40, 48, 55


@contextmanager
def opened(bus: EmulatedBus, baud: int = 1_000_000) -> Iterator[Any]:
    port = sdk.PortHandler(bus.port)
    assert port.openPort() and port.setBaudRate(baud)
    packets = sdk.PacketHandler(0)
    try:
        yield SimpleNamespace(port=port, packets=packets)
    finally:
        port.closePort()


def opened_arm() -> Iterator[tuple[EmulatedBus, Any]]:
    with emulated_bus() as bus, opened(bus) as host:
        yield bus, host


def read2(host: Any, servo: int, register: int) -> tuple[int, int, int]:
    answer: tuple[int, int, int] = host.packets.read2ByteTxRx(host.port, servo, register)
    return answer


def sync_read(host: Any, register: int, length: int, ids: range = range(1, 7)) -> tuple[int, list[int]]:
    group = sdk.GroupSyncRead(host.port, host.packets, register, length)
    for servo in ids:
        group.addParam(servo)
    result = group.txRxPacket()
    return result, [group.getData(servo, register, length) for servo in ids]


def wait_until(condition: Any, limit_s: float = 10.0) -> None:
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)
