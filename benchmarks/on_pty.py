"""A program on a pseudo-terminal that answers as terminals do."""

import os
import pty
import subprocess
import threading
import time


class ProgramOnPty:
    """Starts a command on a terminal of 120x40; keys are typed with `press`, `until` waits for what it draws."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._drawn = b""
        self._changed = threading.Condition()
        self.started_s = time.monotonic()
        size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, **size},
            start_new_session=True,
        )
        os.close(slave)
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        """Read what is drawn; answer each cursor query."""
        while True:
            try:
                drawn = os.read(self._master, 65536)
            except OSError:
                return
            with self._changed:
                self._drawn = (self._drawn + drawn)[-200_000:]
                self._changed.notify_all()
            for _ in range(drawn.count(b"\x1b[6n")):
                os.write(self._master, b"\x1b[1;1R")

    def until(self, text: bytes, limit_s: float = 20.0) -> float:
        """Seconds from the start of the process until `text` was drawn. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: text in self._drawn, limit_s):
                raise TimeoutError(f"{text!r} was not drawn within {limit_s} s")
        return time.monotonic() - self.started_s

    def press(self, key: bytes) -> float:
        """Type a key; when."""
        now_s = time.monotonic()
        os.write(self._master, key)
        return now_s

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._master)
