"""Diagnosis: the doctor's findings for the console, gathered in the background; nothing here waits for them."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from hilserl_tui.doctor import disk, ended_badly, parsed, python, worker_command
from workers.model.check import Check

NICE = 10  # an arm may be moving meanwhile


class Diagnosis:
    """`findings` grows while `running`; `changed` is called in the event loop after each."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self.findings: tuple[Check, ...] = ()
        self.running = False
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    def begin(self, folder: Path, config: Path | None, terminal: Sequence[Check]) -> None:
        """Look at everything again, unless that is under way; `terminal` is known already."""
        if self.running:
            return
        self.running = True
        self.findings = (python(), disk(folder), *terminal)
        self._task = asyncio.create_task(self._look(worker_command(folder, config)))
        self._changed()

    async def close(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self, command: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None and process.stderr is not None
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        errors = asyncio.create_task(process.stderr.read())
        try:
            async for line in process.stdout:
                if (check := parsed(line)) is not None:
                    self._add(check)
            if code := await process.wait():
                self._add(ended_badly(code, (await errors).decode(errors="replace")))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await asyncio.gather(errors, process.stdout.read(), return_exceptions=True)  # to their ends
            self.running = False
        self._changed()

    def _add(self, check: Check) -> None:
        self.findings = (*self.findings, check)
        self._changed()
