"""A console without a screen: attaches to a real station, folds its events, sends commands."""

import asyncio
import contextlib
import time
from pathlib import Path

from workers.model import wire
from workers.model.commands import Command, RenewLease, Stop, TakeControl
from workers.model.places import socket_path
from workers.model.reduce import reduce
from workers.model.state import ConsoleState


class Console:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
        self._reader, self._writer, self._path = reader, writer, path
        self.state = ConsoleState()
        self._lease = asyncio.create_task(self._renew())

    @classmethod
    async def attach(cls, run_dir: Path, limit_s: float = 30.0) -> "Console":
        path = socket_path(run_dir)
        deadline = time.monotonic() + limit_s
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(str(path))
                break
            assert time.monotonic() < deadline, f"no station at {path}"
            await asyncio.sleep(0.1)
        writer.write(wire.frame(wire.Hello(wire.PROTOCOL_VERSION, wire.Role.CONSOLE, "test")))
        console = cls(reader, writer, path)
        welcome = await console._read()
        assert isinstance(welcome, wire.Welcome)
        console.state = welcome.snapshot
        await console.send(TakeControl("test"))
        return console

    async def send(self, command: Command) -> None:
        self._writer.write(wire.frame(command))
        await self._writer.drain()

    def leave(self) -> None:
        """Let go of the station, which may be gone already."""
        self._lease.cancel()
        self._writer.close()

    async def stop(self) -> None:
        """On a connection of its own, as the console does."""
        _, writer = await asyncio.open_unix_connection(str(self._path))
        writer.write(wire.frame(wire.Hello(wire.PROTOCOL_VERSION, wire.Role.STOP, "test")))
        writer.write(wire.frame(Stop()))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()

    async def next_batch(self) -> None:
        """Fold what comes next, waiting at most half a second."""
        try:
            message = await asyncio.wait_for(self._read(), 0.5)
        except TimeoutError:
            return
        if isinstance(message, wire.Batch):
            for event in message.events:
                self.state = reduce(self.state, event)

    async def _read(self) -> wire.FromStation:
        head = await self._reader.readexactly(wire.HEAD_BYTES)
        return wire.decode_from_station(await self._reader.readexactly(wire.frame_length(head)))

    async def _renew(self) -> None:
        while True:
            self._writer.write(wire.frame(RenewLease()))
            await asyncio.sleep(0.1)
