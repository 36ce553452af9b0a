"""The station as the console sees it: a state that changes, and a place to send commands.

Two implementations meet `StationClient`: `LiveClient` here, `RecordedClient` in `recording`. Commands are
written to the socket from the key handler itself; nothing is shown before the station says so.
"""

import asyncio
import getpass
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hilserl_tui.own_lines import DriveLine, StopLine
from hilserl_tui.view import Link
from workers.model.commands import Command, Drive
from workers.model.events import RunEnded
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.model.wire import (
    HEAD_BYTES,
    PROTOCOL_VERSION,
    Batch,
    FromStation,
    Hello,
    Refused,
    Role,
    Welcome,
    WireError,
    decode_from_station,
    frame,
    frame_length,
)

BACK_OFF_S = (0.05, 0.05, 0.1, 0.1, 0.2, 0.2, 0.5, 1.0)  # then the last one for ever
WELCOME_WITHIN_S = 5.0

Changed = Callable[[], None]


class StationClient(Protocol):
    """What the app needs of a station."""

    state: ConsoleState
    link: Link
    trouble: str  # why the link is refused, for a person
    refused_words: str  # that go before it
    recorded: bool
    name: str  # this console, as the station and other people see it

    @property
    def connected(self) -> bool:
        """Whether the other process can still be heard."""
        ...

    def start(self, changed: Changed) -> None:
        """Begin to follow; `changed` is called in the event loop after every change."""

    def send(self, command: Command) -> bool:
        """Write a command now; False when there is no link. Only from the event loop."""

    def stop(self) -> bool:
        """Stop the arm; from any thread. False when it could not be delivered."""

    def drive(self, held: Drive) -> bool:
        """Say what keys are held; from any thread. False when it could not be delivered."""

    def now_s(self) -> float:
        """The robot PC's monotonic clock."""

    async def close(self) -> None: ...


def console_name() -> str:
    """user@terminal, and the pid to tell two of them apart."""
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = "no-tty"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{terminal}.{os.getpid()}"


async def read_message(reader: asyncio.StreamReader) -> FromStation:
    """The next frame. Raises WireError, or asyncio.IncompleteReadError at the end of the stream."""
    head = await reader.readexactly(HEAD_BYTES)
    return decode_from_station(await reader.readexactly(frame_length(head)))


class Following(ABC):
    """What clients have in common that follow another process in a task of their own."""

    recorded = False

    def __init__(self, name: str | None = None) -> None:
        self.state = ConsoleState()
        self.link = Link.CONNECTING
        self.trouble = ""
        self.name = name or console_name()
        self._task: asyncio.Task[None] | None = None
        self._changed: Changed = lambda: None

    def start(self, changed: Changed) -> None:
        self._changed = changed
        self._task = asyncio.create_task(self._follow(), name="following")

    def drive(self, held: Drive) -> bool:
        """There is nothing that could be driven."""
        return False

    def now_s(self) -> float:
        return time.monotonic()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def connected(self) -> bool:
        """Whether the other process can still be heard."""
        return False

    @abstractmethod
    async def _follow(self) -> None:
        """Keep `state`, `link` and `trouble` as the other process tells, until there is nothing to follow."""


class LiveClient(Following):
    """Follows a station over its socket and comes back by itself when the link breaks."""

    refused_words = "the station refused this console: "

    def __init__(self, path: Path, name: str | None = None) -> None:
        super().__init__(name)
        self._path = path
        self._stop_line, self._drive_line = StopLine(path, self.name), DriveLine(path, self.name)
        self._writer: asyncio.StreamWriter | None = None

    @property
    def connected(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    def send(self, command: Command) -> bool:
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(frame(command))
        return True

    def stop(self) -> bool:
        return self._stop_line.stop()

    def drive(self, held: Drive) -> bool:
        return self._drive_line.drive(held)

    async def close(self) -> None:
        await super().close()
        if self._writer is not None:
            self._writer.close()
        self._stop_line.close()
        self._drive_line.close()

    async def _follow(self) -> None:
        tries = 0
        while self.link not in (Link.REFUSED, Link.ENDED):
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await asyncio.sleep(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
                tries += 1
                self._changed()  # so that a station that died at birth is noticed
                continue
            tries = 0
            try:
                await self._session(reader, writer)
            except (OSError, EOFError, WireError, TimeoutError) as error:
                if isinstance(error, WireError):
                    self.trouble = str(error)
            finally:
                self._writer = None
                writer.close()
            self._lost()
            await asyncio.sleep(BACK_OFF_S[2])

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from Hello until it breaks."""
        writer.write(frame(Hello(protocol=PROTOCOL_VERSION, role=Role.CONSOLE, console=self.name)))
        answer = await asyncio.wait_for(read_message(reader), WELCOME_WITHIN_S)
        match answer:
            case Refused(reason, fix):
                self.link, self.trouble = Link.REFUSED, f"{reason}\n{fix}"
                self._changed()
                return
            case Welcome():
                self.state, self.link, self.trouble = answer.snapshot, Link.UP, ""
                self._writer = writer
                self._stop_line.open()
                self._changed()
        while True:
            message = await read_message(reader)
            if isinstance(message, Batch):
                self._fold(message)

    def _fold(self, batch: Batch) -> None:
        for event in batch.events:
            self.state = reduce(self.state, event)
            if isinstance(event, RunEnded):
                self.link = Link.ENDED
        self._changed()

    def _lost(self) -> None:
        if self.link is Link.UP:
            self.link = Link.DOWN
        self._changed()
