"""The serial port: a pseudo-terminal behind a link whose name survives unplugging."""

import contextlib
import errno
import fcntl
import os
import pty
import struct
import termios
import tty
from pathlib import Path
from typing import Final

_TCGETS2: Final = 0x802C542A  # Linux: the exact speed, also one that has no constant
_TERMIOS2: Final = struct.Struct("<4I20B2I")
_READ: Final = 4096


class Port:
    """One end of a pseudo-terminal; a driver opens the other by `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master = -1
        self._slave = -1
        self.lost_bytes = 0  # that nobody read in time

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    def fileno(self) -> int:
        return self._master

    def plug(self) -> None:
        """Make the port appear. Raises OSError where the link cannot be made."""
        if self.plugged:
            return
        self._master, self._slave = pty.openpty()
        # raw, or the terminal would echo the replies and eat control bytes; a driver sets the same when it opens
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.ttyname(self._slave))
        aside.replace(self.path)

    def unplug(self) -> None:
        """Take the port away, as pulling the USB plug does; who has it open gets errors."""
        if not self.plugged:
            return
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def baud(self) -> int:
        """Speed that the driver has set."""
        raw = fcntl.ioctl(self._slave, _TCGETS2, bytes(_TERMIOS2.size))
        return int(_TERMIOS2.unpack(raw)[-1])

    def forgive_the_dead(self) -> None:
        """Let others open the port again when whoever had it for himself is gone.

        A real port forgets TIOCEXCL with its last close. Here the emulator's own end stays open, so that it can see
        the speed; whether anybody still has the port is told by the lock that drivers take with it.
        """
        with contextlib.suppress(OSError):
            fcntl.flock(self._slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
            fcntl.flock(self._slave, fcntl.LOCK_UN)

    def read(self) -> bytes:
        try:
            return os.read(self._master, _READ)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise

    def write(self, data: bytes) -> None:
        """Bytes that find no room are lost, as in a serial port nobody reads."""
        try:
            sent = os.write(self._master, data)
        except BlockingIOError:
            sent = 0
        self.lost_bytes += len(data) - sent

    def forget_unread(self) -> None:
        """Throw away what no driver has read."""
        termios.tcflush(self._slave, termios.TCIFLUSH)
