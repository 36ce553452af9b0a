"""Stop line: a socket of its own that carries nothing but `Stop`, usable from any thread.

It is a software stop, not a safety-rated one. It never waits for the event loop: with a stalled terminal the
loop was measured 3 s late, the input thread 1 ms.
"""

import socket
import threading
from pathlib import Path

from workers.model.commands import Stop
from workers.model.wire import PROTOCOL_VERSION, Hello, Role, frame

TIMEOUT_S = 0.2  # the station reads this socket at once; longer means it is gone


class StopLine:
    """Connected ahead of need; reconnects once when the connection turns out dead."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Connect now; False when the station does not answer."""
        with self._lock:
            return self._connect()

    def stop(self) -> bool:
        """Send `Stop`; True when the bytes left. Takes at most two time-outs."""
        message = frame(Stop(by=self._name))
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
        line.settimeout(TIMEOUT_S)
        try:
            line.connect(str(self._path))
            line.sendall(frame(Hello(protocol=PROTOCOL_VERSION, role=Role.STOP, console=self._name)))
        except OSError:
            line.close()
            return False
        self._socket = line
        return True

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
