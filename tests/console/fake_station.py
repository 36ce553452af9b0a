"""A station for tests: speaks the wire, remembers what it was sent, says what it is told."""

import asyncio
import time
from pathlib import Path

from workers.model import commands as c
from workers.model.events import Event
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.model.wire import (
    HEAD_BYTES,
    PROTOCOL_VERSION,
    Batch,
    Hello,
    Refused,
    Role,
    Welcome,
    decode_from_console,
    frame,
    frame_length,
)

LIFE_SIGNS = (c.RenewLease, c.ShowCameras, c.TakeControl)


class FakeStation:
    """`commands` came from consoles, without life signs and picture sizes; `stops` and `drives` on their own lines."""

    def __init__(self, path: Path, state: ConsoleState, refuse: Refused | None = None) -> None:
        self.path, self.state, self.refuse = path, state, refuse
        self.received: list[tuple[float, c.Command]] = []
        self.stops: list[tuple[float, c.Command]] = []
        self.drives: list[tuple[float, c.Command]] = []
        self.hellos: list[Hello] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def commands(self) -> list[c.Command]:
        return [command for _, command in self.received if not isinstance(command, LIFE_SIGNS)]

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def die(self) -> None:
        """Gone, as by kill -9: every connection breaks."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self.path.unlink(missing_ok=True)
        await asyncio.sleep(0)

    def say(self, *events: Event) -> None:
        for event in events:
            self.state = reduce(self.state, event)
        for writer in self._writers:
            writer.write(frame(Batch(list(events))))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = await self._read(reader)
            assert isinstance(hello, Hello)
            self.hellos.append(hello)
            if self.refuse is not None:
                writer.write(frame(self.refuse))
                return
            if hello.role is Role.CONSOLE:
                writer.write(frame(Welcome(PROTOCOL_VERSION, 1, self.state, time.monotonic())))
                self._writers.append(writer)
            kept = {Role.CONSOLE: self.received, Role.STOP: self.stops, Role.DRIVE: self.drives}[hello.role]
            while True:
                command = await self._read(reader)
                kept.append((time.monotonic(), command))
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader):
        length = frame_length(await reader.readexactly(HEAD_BYTES))
        return decode_from_console(await reader.readexactly(length))
