"""WorkerHandle: one worker process as the station sees it: start, watch, restart with back-off, stop."""

import asyncio
import contextlib
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from workers.model.events import Event, Level, LogLine, WorkerChanged, WorkerState
from workers.model.orders import Order, Quit
from workers.runtime.harness import EXIT_CANNOT_GO_ON, Desk, run
from workers.runtime.mailbox import Mailbox
from workers.runtime.shared import Beat
from workers.runtime.words import Printed, last_line

CRASHES_ALLOWED = 5
CRASH_WINDOW_S = 60.0
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 4.0)
STARTING_LIMIT_S = 120.0  # imports of a loaded machine; no beat is expected before them
WATCH_PERIOD_S = 0.1
FROZEN_LIMIT_S = 8.0  # a loop may be busy for longer; a process that runs at all has a thread that says so
STOPPING_SILENT_S = 10.0
LAST_WORDS_S = 1.0  # for what a dead worker said last to be read


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker is and how long its loop may be silent."""

    name: str
    main: Callable[..., None]
    arguments: tuple[Any, ...]
    silent_limit_s: float
    stop_s: float = 3.0  # time to finish after Quit before SIGKILL
    nice: int = 0
    frozen_limit_s: float = FROZEN_LIMIT_S
    """How long not even a thread beside its loop may run: stopped by a signal, swapped out, held by a native call."""
    stopping_silent_s: float = STOPPING_SILENT_S
    """As `silent_limit_s`, after Quit: who saves at the end beats meanwhile."""
    if_killed: str = ""
    """What the operator should know of its work when it had to be killed at the end."""


class WorkerHandle:
    """Keeps one worker running.

    `on_event(event)` and `on_started(name)` are called in the station's event loop.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        context: SpawnContext,
        run_dir: Path,
        on_event: Callable[[Event], None],
        on_started: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self._context = context
        self._run_dir = run_dir
        self._on_event = on_event
        self._on_started = on_started
        self._beat, self._pulse = Beat(context), Beat(context)
        self._process: SpawnProcess | None = None
        self._mailbox: Mailbox | None = None
        self._crashes: deque[float] = deque()
        self._started_s = 0.0
        self._running = False
        self._stopping = False
        self._kill_reason = ""
        self._last_error = ""
        self._reader: threading.Thread | None = None
        self._printed = Printed(self._output)

    @property
    def _output(self) -> Path:
        """What the worker logs and prints, all of it."""
        return self._run_dir / f"{self.spec.name}.out"

    @property
    def pid(self) -> int:
        return (self._process.pid or 0) if self._process else 0

    def give(self, order: Order) -> None:
        """Send an order; lost unless the worker runs: standing orders are given when it starts."""
        if self._mailbox is not None and self._running:
            self._mailbox.give(order)

    async def keep_running(self) -> None:
        """Start the worker and restart it until `stop`, or until it crashed too often."""
        while not self._stopping:
            self._start()
            await self._until_dead()
            if self._stopping:
                break
            reason = self._death_reason()
            wait_s = self._back_off()
            if self._process is not None and self._process.exitcode == EXIT_CANNOT_GO_ON:
                self._tell(WorkerState.FAILED, self._last_words())
                return
            if wait_s is None:
                crashes = f"{len(self._crashes)} crashes in {CRASH_WINDOW_S:.0f} s"
                self._tell(WorkerState.FAILED, f"{crashes}, last: {reason}; see {self.spec.name}.out")
                return
            self.restarts += 1
            self._tell(WorkerState.RESTARTING, f"{reason}; restarts in {wait_s:.1f} s")
            await asyncio.sleep(wait_s)
        self._tell(WorkerState.STOPPED, self._kill_reason)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    async def stop(self) -> None:
        """Ask, wait `stop_s`, then kill; at once where it has not begun to work, since it has nothing to finish.

        Neither is one waited for that gives no sign of life meanwhile.
        """
        self._stopping = True
        process = self._process
        if process is None or not process.is_alive():
            return
        if self._beat.age_s(time.monotonic_ns()) is None:
            process.kill()
            return
        if self._mailbox is not None:
            self._mailbox.give(Quit())
        deadline = time.monotonic() + self.spec.stop_s
        why = ""
        while process.is_alive() and not why:
            await asyncio.sleep(0.02)
            if time.monotonic() > deadline:
                why = f"did not end within {self.spec.stop_s:.0f} s"
            else:
                why = self._silence(self.spec.stopping_silent_s)
        if process.is_alive():
            self._kill_silent(process, why)
            if self.spec.if_killed:
                self._on_event(
                    LogLine(self.spec.name, Level.WARNING, f"{why}: {self.spec.if_killed}", time.time())
                )

    def kill(self) -> None:
        """SIGKILL now; for the station's last resort."""
        self._stopping = True
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)

    def _start(self) -> None:
        self._close_mailbox()
        self._beat.clear()
        self._pulse.clear()
        self._kill_reason = self._last_error = ""
        self._printed = Printed(self._output)
        mailbox = Mailbox(self._context)
        desk = Desk(
            self.spec.name, self._run_dir, mailbox, self._beat, self.spec.nice, self.restarts, self._pulse
        )
        process = self._context.Process(
            target=run,
            args=(desk, self.spec.main, self.spec.arguments),
            name=f"hilserl-{self.spec.name}",
            daemon=True,
        )
        process.start()
        mailbox.after_start()
        self._process, self._mailbox = process, mailbox
        self._started_s = time.monotonic()
        self._running = False
        loop = asyncio.get_running_loop()
        self._reader = threading.Thread(target=self._read_events, args=(mailbox, loop), daemon=True)
        self._reader.start()
        self._tell(WorkerState.STARTING)

    def _read_events(self, mailbox: Mailbox, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(EOFError, OSError, ValueError, RuntimeError):
            while True:
                event = mailbox.take_event()
                loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: Event) -> None:
        if isinstance(event, LogLine) and event.level is Level.ERROR:
            self._last_error = event.text
        self._on_event(event)

    async def _until_dead(self) -> None:
        """Until the process is gone and everything it said is folded."""
        process, reader = self._process, self._reader
        assert process is not None and reader is not None
        while process.is_alive():
            await asyncio.sleep(WATCH_PERIOD_S)
            self._tell_printed()
            self._watch(process)
        process.join()
        self._running = False
        await asyncio.to_thread(reader.join, LAST_WORDS_S)
        self._tell_printed()

    def _tell_printed(self) -> None:
        """What the worker's libraries print is for the operator too."""
        for text in self._printed.new_lines():
            self._on_event(LogLine(self.spec.name, Level.INFO, text, time.time()))

    def _watch(self, process: SpawnProcess) -> None:
        age_s = self._beat.age_s(time.monotonic_ns())
        if age_s is None:
            if time.monotonic() - self._started_s > STARTING_LIMIT_S:
                self._kill_silent(process, f"did not start within {STARTING_LIMIT_S:.0f} s")
            return
        if not self._running:
            self._running = True
            self._tell(WorkerState.RUNNING)
            self._on_started(self.spec.name)
        if not self._stopping and (why := self._silence(self.spec.silent_limit_s)):
            self._kill_silent(process, why)

    def _silence(self, limit_s: float) -> str:
        """Why it must be taken for dead, "" while it gives signs of life; `limit_s` is for its loop."""
        now_ns = time.monotonic_ns()
        age_s, frozen_s = self._beat.age_s(now_ns), self._pulse.age_s(now_ns)
        if frozen_s is not None and frozen_s > self.spec.frozen_limit_s:
            return f"does not run (stopped, or the machine is out of memory) for {frozen_s:.1f} s"
        if age_s is not None and age_s > limit_s:
            return f"silent for {age_s:.1f} s"
        return ""

    def _kill_silent(self, process: SpawnProcess, why: str) -> None:
        self._kill_reason = f"{why}, killed"
        process.kill()

    def _death_reason(self) -> str:
        if self._kill_reason:
            return self._kill_reason
        code = self._process.exitcode if self._process else None
        if code is not None and code < 0:
            return f"died of {signal.Signals(-code).name}"
        last = self._last_words()
        return f"exit code {code}" + (f": {last}" if last else "")

    def _last_words(self) -> str:
        """The error the worker ended with, whole; of a native crash the last line of its output."""
        if self._last_error:
            return self._last_error
        return last_line(self._output)[:300]

    def _back_off(self) -> float | None:
        now = time.monotonic()
        self._crashes.append(now)
        while self._crashes and now - self._crashes[0] > CRASH_WINDOW_S:
            self._crashes.popleft()
        if len(self._crashes) > CRASHES_ALLOWED:
            return None
        return BACK_OFF_S[min(len(self._crashes), len(BACK_OFF_S)) - 1]

    def _tell(self, state: WorkerState, reason: str = "") -> None:
        self._on_event(WorkerChanged(self.spec.name, state, reason, self.restarts, self.pid))

    def _close_mailbox(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close_station_side()
            self._mailbox = None
