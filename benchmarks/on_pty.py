"""A program on a pseudo-terminal that answers as terminals do, at once or over a thin line."""

import os
import pty
import queue
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PIECE = 1000  # bytes that a thin line carries at a time
QUESTION, ANSWER = b"\x1b[6n", b"\x1b[1;1R"
KEYBOARD, TELLS_RELEASES = b"\x1b[?u", b"\x1b[?27u"


@dataclass(frozen=True, slots=True)
class ThinLine:
    """Between program and terminal. It takes whatever the program writes, as the buffers on such a way do."""

    bits_per_s: float
    delay_s: float  # each way


class ProgramOnPty:
    """Starts a command on a terminal; keys are typed with `press`, `until` waits for what it draws.

    With `releases` the terminal says that it tells when a key is let go.
    `on_drawn` is called with every piece of output, in a thread, when the terminal has it.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        size: tuple[int, int] = (120, 40),
        line: ThinLine | None = None,
        on_drawn: Callable[[bytes], None] = lambda _: None,
        releases: bool = False,
    ) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (size[1], size[0]))
        self._drawn = b""
        self.drawn_bytes = 0
        self.answers, self._releases = True, releases
        self.answered_s = 0.0
        """When the terminal answered a question last."""
        self.on_drawn = on_drawn
        self._line = line
        self._reads = threading.Event()
        self._reads.set()
        self._changed = threading.Condition()
        self._to_terminal: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._to_program: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self.started_s = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        carry = [(self._to_terminal, self._take), (self._to_program, self._type)] if line else []
        for line_of, to in carry:
            threading.Thread(target=_carry, args=(line_of, to), daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def console_pid(self) -> int:
        """Of a console: the process itself, below the parent that guards the terminal."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0]) if children else self.pid

    def _read(self) -> None:
        """All that the program writes; none of it while the terminal stalls."""
        free_s = 0.0
        while self._reads.wait():
            try:
                drawn = os.read(self._master, 65536)
            except OSError:
                return
            if self._line is None:
                self._take(drawn)
                continue
            for start in range(0, len(drawn), PIECE):
                piece = drawn[start : start + PIECE]
                free_s = max(free_s, time.monotonic()) + len(piece) * 8 / self._line.bits_per_s
                self._to_terminal.put((free_s + self._line.delay_s, piece))

    def _take(self, drawn: bytes) -> None:
        """The terminal has it: it draws, and answers each cursor query."""
        with self._changed:
            before = self._drawn[-len(QUESTION) + 1 :]
            self._drawn = (self._drawn + drawn)[-200_000:]
            self.drawn_bytes += len(drawn)
            self._changed.notify_all()
        self.on_drawn(drawn)
        if self._releases and KEYBOARD in drawn:
            self._type(TELLS_RELEASES)
        for _ in range((before + drawn).count(QUESTION) if self.answers else 0):
            self.answered_s = time.monotonic()
            if self._line is None:
                self._type(ANSWER)
            else:
                self._to_program.put((time.monotonic() + self._line.delay_s, ANSWER))

    def _type(self, keys: bytes) -> None:
        try:
            os.write(self._master, keys)
        except OSError:  # the program has ended
            return

    def stall(self, on: bool = True) -> None:
        """The terminal takes nothing any more, as on a dead line."""
        self._reads.clear() if on else self._reads.set()

    def until(self, *texts: bytes, limit_s: float = 20.0) -> float:
        """Seconds from the start of the process until one of `texts` was drawn. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(text in self._drawn for text in texts), limit_s):
                raise TimeoutError(f"{texts!r} was not drawn within {limit_s} s")
        return time.monotonic() - self.started_s

    def forget(self) -> None:
        """`until` looks only at what is drawn from now on."""
        with self._changed:
            self._drawn = b""

    def press(self, key: bytes) -> float:
        """Type a key; when."""
        now_s = time.monotonic()
        os.write(self._master, key)
        return now_s

    def close(self) -> None:
        self._reads.set()
        self._process.terminate()
        self._process.wait(10)
        os.close(self._master)


def _carry(line: "queue.SimpleQueue[tuple[float, bytes]]", to: Callable[[bytes], None]) -> None:
    while True:
        due_s, data = line.get()
        time.sleep(max(0.0, due_s - time.monotonic()))
        to(data)
