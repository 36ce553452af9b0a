"""A serial port for one process: opened exclusively, read without waiting for more than there is."""

import contextlib
import errno
import fcntl
import os
import select
import termios
import time
from pathlib import Path
from typing import Final, Protocol

import serial

from workers.robot.bus.errors import BusError, BusGone, PortHeld, port_errors
from workers.robot.bus.holder import PROC, holder_of

BAUDS: Final = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400)
"""Rates of the servo by the code in its register 6 (the vendor's table)."""
_WRITE_S: Final = 0.1  # a request is at most 250 bytes


class Port(Protocol):
    """What the bus needs of a port, so that tests can do without one."""

    @property
    def name(self) -> str: ...
    @property
    def baud(self) -> int: ...
    def set_baud(self, baud: int) -> None: ...
    def write(self, data: bytes) -> None: ...
    def read(self, timeout_s: float) -> bytes:
        """What has arrived, at least one byte; empty when nothing did within `timeout_s`."""
        ...

    def rest(self, time_s: float) -> None:
        """Let time pass, whatever arrives."""
        ...

    def now_s(self) -> float:
        """Seconds of a clock that never jumps."""
        ...

    def close(self) -> None: ...


class SerialPort:
    """A serial device file. Every method but `close` raises BusGone when the device is not there any more."""

    def __init__(self, name: str, baud: int = BAUDS[0], proc: Path = PROC, polite: bool = True) -> None:
        """Open `name` for this process alone. Raises PortHeld, naming the holder, or BusGone.

        flock keeps out those who ask for it too, TIOCEXCL everybody who comes later but root. Who came before and asks
        for neither is looked for first, unless not `polite`: then the port is taken all the same.
        """
        self._name = name
        if polite and os.path.exists(name) and (holder := holder_of(name, proc)):
            raise _held(name, holder)
        try:
            # Control lines are left alone where the device has none; exclusive is a flock.
            self._serial = serial.Serial(name, baud, timeout=0, exclusive=True)
        except (OSError, termios.error, ValueError) as error:
            raise _refusal(name, error, proc) from None
        with port_errors(name):
            self._fd: int = self._serial.fileno()
            fcntl.ioctl(self._fd, termios.TIOCEXCL)
            termios.tcflush(self._fd, termios.TCIOFLUSH)
        self._ask_for_low_latency()
        self._errors = port_errors(name)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    @property
    def name(self) -> str:
        return self._name

    @property
    def baud(self) -> int:
        return int(self._serial.baudrate)

    def set_baud(self, baud: int) -> None:
        with self._errors:
            self._serial.baudrate = baud

    def write(self, data: bytes) -> None:
        until_s = time.monotonic() + _WRITE_S
        with self._errors:
            while data:
                try:
                    data = data[os.write(self._fd, data) :]
                except BlockingIOError:
                    if time.monotonic() > until_s:
                        raise OSError(errno.ETIMEDOUT, "it takes no more bytes") from None
                    select.select([], [self._fd], [], _WRITE_S)

    def read(self, timeout_s: float) -> bytes:
        with self._errors:
            # What is awaited has mostly come: to ask first, and then take it, would be two calls to the kernel. What
            # is not awaited has mostly not come, and an exception costs more than two calls.
            if timeout_s > 0.0 and (chunk := self._taken()):
                return chunk
            if not self._poll.poll(max(0.0, timeout_s) * 1e3):
                return b""
            if not (chunk := self._taken()):
                raise OSError(errno.ENODEV, "unplugged")
            return chunk

    def _taken(self) -> bytes:
        try:
            return os.read(self._fd, 4096)
        except BlockingIOError:
            return b""

    def rest(self, time_s: float) -> None:
        time.sleep(time_s)

    def now_s(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        """Give the port back. A device that is gone already is no error."""
        with contextlib.suppress(
            OSError, ValueError, TypeError
        ):  # of a device that is gone, and its lock with it
            fcntl.ioctl(self._fd, termios.TIOCNXCL)
        with contextlib.suppress(OSError, termios.error):  # setting back a terminal that is gone
            self._serial.close()

    def _ask_for_low_latency(self) -> None:
        """FTDI's driver then holds bytes back for 1 ms, not 16. Other drivers know no such thing."""
        try:
            self._serial.set_low_latency_mode(True)
        except (OSError, ValueError, NotImplementedError, AttributeError):
            return


def _refusal(name: str, error: Exception, proc: Path) -> BusError:
    """Why `name` cannot be opened, and what to do."""
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return BusGone(f"no serial port {name}; hilserl-worker find-port lists those there are")
    if code == errno.EACCES:
        return BusGone(
            f"no permission for {name}; add yourself to the group that owns it (dialout, or uucp), log in again"
        )
    if code == errno.ENOTTY or "Inappropriate ioctl" in str(error):
        return BusGone(f"{name} is no serial port; hilserl-worker find-port lists those there are")
    if code in (errno.EBUSY, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return _held(name, holder_of(name, proc, family=True))
    return BusGone(f"{name} cannot be opened as a serial port: {error}")


def _held(name: str, by: str) -> PortHeld:
    return PortHeld(f"{name} is in use" + (f" by {by}; end that first" if by else " by another program"))
