"""Lines of their own to the station, usable from any thread: stop, and the keys that are held.

The stop is a software stop, not a safety-rated one. It never waits for the event loop: with a stalled terminal the
loop was measured 3 s late, the input thread 1 ms.
"""

import socket
import threading
from pathlib import Path

from workers.model.commands import Command, Drive, Stop
from workers.model.wire import PROTOCOL_VERSION, Hello, Role, frame


class OwnLine:
    """Carries one kind of command; reconnects once when the connection turns out dead."""

    role: Role
    timeout_s = 0.2  # the station reads at once; longer means it is gone

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Connect now; False when the station does not answer."""
        with self._lock:
            return self._connect()

    def send(self, command: Command) -> bool:
        """True when the bytes left. Takes at most two time-outs."""
        message = frame(command)
        with self._lock:
            for _ in range(2):
                if self._socket is None and not self._connect():
                    return False
                assert self._socket is not None
                try:
                    self._socket.sendall(message)
                except OSError:
                    self._drop()
                else:
                    return True
        return False

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _connect(self) -> bool:
        self._drop()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(self.timeout_s)
        try:
            line.connect(str(self._path))
            line.sendall(frame(Hello(protocol=PROTOCOL_VERSION, role=self.role, console=self._name)))
        except OSError:
            line.close()
            return False
        self._socket = line
        return True

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class StopLine(OwnLine):
    """Connected ahead of need."""

    role = Role.STOP

    def stop(self) -> bool:
        return self.send(Stop(by=self._name))


class DriveLine(OwnLine):
    """Connected when a key is held for the first time: most terminals have no use for it."""

    role = Role.DRIVE
    timeout_s = 0.02  # said by the thread that reads the stop key

    def drive(self, held: Drive) -> bool:
        return self.send(held)
