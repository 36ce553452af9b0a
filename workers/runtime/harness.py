"""The first and last lines of every worker process: output captured, signals set, parent watched, end reported."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.model.events import Level, LogLine
from workers.model.orders import AnyOrder, Quit
from workers.runtime.mailbox import Mailbox
from workers.runtime.shared import Beat
from workers.runtime.words import Faucet, readable

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PULSE_PERIOD_S = 0.5
EXIT_CANNOT_GO_ON = 3  # a WorkerFailure: a restart would only fail again


class WorkerFailure(Exception):
    """A worker cannot go on; the text is for the operator: what happened, likely cause, next action."""


@dataclass
class Desk:
    """What a worker's main function works with."""

    name: str
    run_dir: Path
    mailbox: Mailbox
    beat: Beat
    nice: int = 0
    restarts: int = 0
    """How often the station has started this worker again."""
    pulse: Beat | None = None
    """Marked by a thread beside the worker's loop: tells a loop that is busy from a process that does not run."""
    quitting: bool = False
    # Noted where the desk is made and pickled with it: a worker whose station died before its first line sees that.
    station_pid: int = field(default_factory=os.getpid)

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        """The next order for the worker's own code; `Quit` is noted here and returned too."""
        order = self.mailbox.next_order(timeout_s)
        if isinstance(order, Quit):
            self.quitting = True
        return order

    def alive(self) -> bool:
        """Beat once and say whether to go on: false after Quit, SIGTERM, or the station's death."""
        self.beat.mark(time.monotonic_ns())
        if os.getppid() != self.station_pid:
            self.quitting = True
        return not self.quitting

    def adopt(self) -> None:
        """Take the place of the worker: called once, in the worker process."""
        if self.pulse is not None:
            threading.Thread(target=_beat_for_ever, args=(self.pulse,), name="pulse", daemon=True).start()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, *_: object) -> None:
        self.quitting = True


class EventLogHandler(logging.Handler):
    """Sends log records to the station as `LogLine` events; of a flood no more than people could read."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(logging.INFO)
        self._desk = desk
        self._faucets = {False: Faucet(), True: Faucet()}  # why a worker ends is never lost in its chatter

    def emit(self, record: logging.LogRecord) -> None:
        level = Level.ERROR if record.levelno >= 40 else Level.WARNING if record.levelno >= 30 else Level.INFO
        faucet, name = self._faucets[level is Level.ERROR], self._desk.name
        if not faucet.lets(record.created):
            return
        if held_back := faucet.take_held_back():
            words = f"{held_back} lines more were logged: all of them are in {name}.out"
            self._desk.mailbox.emit(LogLine(name, level, words, record.created))
        self._desk.mailbox.emit(LogLine(name, level, readable(record.getMessage()), record.created))


def run(desk: Desk, main: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Entry point of every spawned process."""
    os.setsid()  # signals of the operator's terminal and process group are the station's to answer
    _capture_output(desk.run_dir / f"{desk.name}.out")
    _die_with_parent()
    desk.adopt()
    os.nice(desk.nice)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger().addHandler(EventLogHandler(desk))
    logging.getLogger("OpenGL").setLevel(logging.WARNING)  # it announces at length which accelerator it lacks
    code = 0
    try:
        main(desk, *arguments)
    except WorkerFailure as failure:
        logging.error("%s", " ".join(str(failure).split()))
        code = EXIT_CANNOT_GO_ON
    except Exception as error:
        traceback.print_exc()
        logging.error("%s: %s", type(error).__name__, error)
        code = 1
    threading.Thread(target=_exit_anyway, args=(code,), daemon=True).start()
    desk.mailbox.close_worker_side()
    logging.shutdown()
    os._exit(code)  # queues and native libraries must not hold a finished worker back


def _beat_for_ever(pulse: Beat) -> None:
    while True:
        pulse.mark(time.monotonic_ns())
        time.sleep(PULSE_PERIOD_S)


def _exit_anyway(code: int) -> None:
    """A station that reads no more must not keep a worker alive through its unread events."""
    time.sleep(1.0)
    os._exit(code)


def _capture_output(path: Path) -> None:
    """Point file descriptors 1 and 2 at a file: prints of C libraries never reach the operator's screen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)


def _die_with_parent() -> None:
    """Ask Linux for SIGTERM when the station dies; elsewhere `Desk.alive` sees the changed parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
