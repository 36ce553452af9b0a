"""Buses and arms opened on an emulated port, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulators.bus import EmulatedBus
from workers.robot.bus import Bus, SerialPort


@contextmanager
def opened(emulated: EmulatedBus, reply_s: float = 0.02) -> Iterator[Bus]:
    """Our bus on the emulated port."""
    port = SerialPort(emulated.port)
    try:
        yield Bus(port, reply_s)
    finally:
        port.close()
