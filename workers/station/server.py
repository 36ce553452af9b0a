"""The Unix socket of the consoles: snapshot first, then events; commands back; stop and held keys on their own."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from workers.model.commands import (
    AnyCommand,
    ApplySettings,
    Drive,
    Look,
    ReadSettings,
    RenewLease,
    ShowCameras,
    Stop,
    TakeControl,
)
from workers.model.events import AnyEvent, Event, Looked
from workers.model.state import ConsoleState
from workers.model.wire import (
    HEAD_BYTES,
    PROTOCOL_VERSION,
    Batch,
    FromConsole,
    Hello,
    Refused,
    Role,
    Welcome,
    WireError,
    decode_from_console,
    frame,
    frame_length,
)

FLUSH_PERIOD_S = 0.03
WRITE_LIMIT_BYTES = 1024 * 1024  # a console that reads no more is cut off here
HELLO_LIMIT_S = 5.0
log = logging.getLogger(__name__)


class Console:
    """One attached console."""

    def __init__(self, name: str, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.writer = writer
        self.pending: list[AnyEvent] = []
        self.lease_s = time.monotonic()
        self.cameras: ShowCameras | None = None


class Server:
    """Consoles of one station. Who attaches only watches; `TakeControl` makes a console the holder.

    Args:
        path: where the socket goes; mode 0600.
        snapshot: gives the newest state.
        on_command: called with (console name, holds the controls, command).
        on_stop: called at once for `Stop` from anybody.
        on_change: called when consoles come, go, or take the controls.
        on_look: gives the picture that a console, by name, wants to see.
    """

    def __init__(
        self,
        path: Path,
        snapshot: Callable[[], ConsoleState],
        on_command: Callable[[AnyCommand], None],
        on_stop: Callable[[str], None],
        on_change: Callable[[], None],
        on_look: Callable[[str, Look], Looked],
    ) -> None:
        self._path = path
        self._snapshot = snapshot
        self._on_command = on_command
        self._on_stop = on_stop
        self._on_change = on_change
        self._on_look = on_look
        self._server: asyncio.Server | None = None
        self._consoles: list[Console] = []
        self._flusher: asyncio.Task[None] | None = None
        self.holder: Console | None = None

    @property
    def consoles(self) -> list[Console]:
        return list(self._consoles)

    def lease_age_s(self) -> float | None:
        """Age of the holder's lease; None when nobody holds the controls."""
        return time.monotonic() - self.holder.lease_s if self.holder else None

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        finally:
            os.umask(before)
        self._flusher = asyncio.create_task(self._flush_for_ever())

    async def close(self) -> None:
        """Send what is pending and close every connection."""
        if self._flusher is not None:
            self._flusher.cancel()
        self._flush()
        for console in self._consoles:
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(console.writer.drain(), 0.5)
            console.writer.close()
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    def broadcast(self, event: Event) -> None:
        for console in self._consoles:
            console.pending.append(event)  # type: ignore[arg-type]

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_PERIOD_S)
            self._flush()

    def _flush(self) -> None:
        for console in self._consoles:
            if not console.pending:
                continue
            if console.writer.transport.get_write_buffer_size() > WRITE_LIMIT_BYTES:
                log.warning("console %s no longer takes what it is sent, and was disconnected", console.name)
                console.writer.transport.abort()
                console.pending.clear()
                continue
            console.writer.write(frame(Batch(console.pending)))
            console.pending = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = await asyncio.wait_for(_read(reader), HELLO_LIMIT_S)
            if not isinstance(hello, Hello):
                raise WireError("a connection begins with Hello")
            if hello.protocol != PROTOCOL_VERSION:
                writer.write(frame(_other_version(hello.protocol)))
                return
            if hello.role is Role.STOP:
                await self._serve_stop(reader, hello.console)
            elif hello.role is Role.DRIVE:
                await self._serve_drive(reader, hello.console)
            else:
                await self._serve_console(reader, writer, hello.console)
        except WireError as error:
            log.warning("a connection was refused: %s", error)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the peer went away; its console is taken off in `_serve_console`
        except asyncio.CancelledError:
            pass  # the station is done; asyncio of Python 3.11 would print a traceback of this
        finally:
            writer.close()

    async def _serve_stop(self, reader: asyncio.StreamReader, name: str) -> None:
        while True:
            if isinstance(await _read(reader), Stop):
                self._on_stop(name)

    async def _serve_drive(self, reader: asyncio.StreamReader, name: str) -> None:
        """Held keys of a console, while it holds the controls. They renew no lease: a machine repeats them."""
        while True:
            drive = await _read(reader)
            if isinstance(drive, Drive) and self.holder is not None and self.holder.name == name:
                self._on_command(drive)

    async def _serve_console(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str
    ) -> None:
        console = Console(name, writer)
        welcome = Welcome(PROTOCOL_VERSION, os.getpid(), self._snapshot(), time.monotonic())
        writer.write(frame(welcome))
        self._consoles.append(console)  # snapshot and registration with no await between: no event is missed
        self._on_change()
        try:
            while True:
                self._take(console, await _read(reader))
        finally:
            self._consoles.remove(console)
            if self.holder is console:
                self.holder = None
            self._on_change()

    def _take(self, console: Console, message: FromConsole) -> None:
        match message:
            case Hello():
                raise WireError("a second Hello")
            case Drive():
                raise WireError("held keys come on a connection of their own")
            case Stop():
                self._on_stop(console.name)
            case RenewLease():
                console.lease_s = time.monotonic()
            case ShowCameras():
                console.cameras = message
                self._on_change()
            case Look():
                console.pending.append(self._on_look(console.name, message))
            case ReadSettings() | ApplySettings():  # of a file that is the user's, whoever drives
                self._on_command(message)
            case TakeControl():
                self.holder = console
                console.lease_s = time.monotonic()  # a key press is a sign of life
                self._on_change()
            case _ if console is self.holder:
                console.lease_s = time.monotonic()
                self._on_command(message)
            case _:
                words = "console %s does not hold the controls, %s ignored"
                log.warning(words, console.name, type(message).__name__)


async def _read(reader: asyncio.StreamReader) -> FromConsole:
    head = await reader.readexactly(HEAD_BYTES)
    return decode_from_console(await reader.readexactly(frame_length(head)))


def _other_version(theirs: int) -> Refused:
    older = "console" if theirs < PROTOCOL_VERSION else "station"
    return Refused(
        f"the console speaks protocol {theirs}, this station {PROTOCOL_VERSION}",
        f"upgrade the {older}, or end the run with `hilserl-tui down` and start it again",
    )
