"""Training a classifier, and mending its labels, from the console: each a `hilserl-worker` process of its own."""

import asyncio
import contextlib
import shutil
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from hilserl_tui.client import read_message
from workers.model.classifier_events import ClassifierEvent, ClassifierFailed, ClassifierReported, WrongFrame
from workers.model.wire import Batch, WireError

WORDS_KEPT = 12  # last lines of a process, for when it dies without a word
KILLED_AFTER_S = 5.0


def gently(*arguments: str) -> list[str]:
    """The command of a worker that gives way to the arm, which may be moving meanwhile."""
    nice = shutil.which("nice")
    return [*([nice, "-n", "10"] if nice else []), sys.executable, "-m", "workers.cli", *arguments]


class TrainingJob:
    """`events` starts it and gives what it tells, the last one a report or a failure."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._words: deque[str] = deque(maxlen=WORDS_KEPT)
        self.running = True
        self.ending = 0  # how often the end was asked for

    @classmethod
    def of(cls, config: Path, folder: Path) -> "TrainingJob":
        """As in the configuration, with the classifier in `folder`."""
        where = ("--config", str(config), "--output", str(folder))
        return cls(gently("train-classifier", *where, "--frames"))

    async def events(self) -> AsyncIterator[ClassifierEvent]:
        over = False
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            assert process.stdout is not None and process.stderr is not None
            reading = asyncio.create_task(self._listen(process.stderr))
            async for event in _told(process.stdout):
                over = isinstance(event, ClassifierReported | ClassifierFailed)
                yield event
            code = await process.wait()
            await reading
            if not over:
                yield ClassifierFailed(self._why(code))
        except OSError as error:
            yield ClassifierFailed(f"hilserl-worker could not be started: {error}")
        except WireError as error:
            yield ClassifierFailed(f"the training was stopped, what it reported cannot be read: {error}")
        finally:
            await self.stop()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self._words.append(line.decode(errors="replace").rstrip())

    def _why(self, code: int) -> str:
        if self.ending:
            return "ended before there was a classifier; enter trains again"
        return "\n".join([f"the training died (exit code {code}); its last words:", *self._words])

    def end(self) -> None:
        """Ask for the end after this epoch, the second time at once."""
        self.ending += 1
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def stop(self) -> None:
        """End it now; the classifier that was there before stays."""
        self.running = False
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), KILLED_AFTER_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def _told(stream: asyncio.StreamReader) -> AsyncIterator[ClassifierEvent]:
    while True:
        try:
            message = await read_message(stream)
        except asyncio.IncompleteReadError:
            return
        if isinstance(message, Batch):
            for event in message.events:
                if isinstance(event, ClassifierEvent):
                    yield event


def relabelling(frame: WrongFrame, success: bool) -> list[str]:
    """The command that gives one frame of a dataset another label."""
    here = ("--episodes", str(frame.episode), "--frames", f"{frame.frame}-{frame.frame}")
    return gently("dataset", "relabel", frame.root, *here, "--success" if success else "--failure")


async def refused(command: Sequence[str]) -> str:
    """Run a command to its end; "" when it did what it should, else what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"hilserl-worker could not be started: {error}"
    said, _ = await process.communicate()
    return said.decode(errors="replace").strip() or "it said nothing" if process.returncode else ""
