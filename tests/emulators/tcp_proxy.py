"""A TCP proxy with the faults of a network: cut, black hole, delay, a thin line. Counts what passes."""

import asyncio
import contextlib
from collections.abc import Coroutine

PIECE = 16 * 1024


class TcpProxy:
    """Between a client and a server on loopback, in the running event loop."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._bits_per_s = 0.0
        self._delay_s = 0.0
        self._refusing = False
        self.port = 0
        self.up_bytes = 0
        """Bytes that clients sent."""
        self.down_bytes = 0
        """Bytes that the server sent."""
        self.accepted = 0
        """Connections made so far."""

    async def start(self, port: int = 0) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=PIECE)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self.drop()
        self._open.set()

    # faults

    def drop(self) -> None:
        """Reset every connection; new ones are taken."""
        for pair in self._connections.items():
            for writer in pair:
                writer.transport.abort()
        self._connections.clear()

    def cut(self) -> None:
        """Reset every connection, and new ones at once, until `restore`."""
        self._refusing = True
        self.drop()

    def black_hole(self) -> None:
        """Swallow nothing, pass nothing, close nothing, until `restore`."""
        self._open.clear()

    def throttle(self, bits_per_s: float) -> None:
        """As thin as this in each direction."""
        self._bits_per_s = bits_per_s

    def delay(self, seconds: float) -> None:
        """Every piece of data waits as long as this, each way."""
        self._delay_s = seconds

    def restore(self) -> None:
        """A fast network again."""
        self._refusing = False
        self._bits_per_s = self._delay_s = 0.0
        self._open.set()

    # the way through

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            to_client.transport.abort()
            return
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port, limit=PIECE)
        except OSError:
            to_client.transport.abort()
            return
        for writer in (to_client, to_server):
            writer.transport.set_write_buffer_limits(PIECE)
        self._connections[to_client] = to_server
        await _first_of(self._pump(client, to_server, True), self._pump(server, to_client, False))
        self._connections.pop(to_client, None)
        for writer in (to_client, to_server):
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, up: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if self._bits_per_s:
                    await asyncio.sleep(8 * len(piece) / self._bits_per_s)
                await self._open.wait()
                sink.write(piece)
                await sink.drain()
                if up:
                    self.up_bytes += len(piece)
                else:
                    self.down_bytes += len(piece)


async def _first_of(*work: Coroutine[None, None, None]) -> None:
    """Until either is over; then neither goes on."""
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
