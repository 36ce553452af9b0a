"""The door before a server: takes connections at the pace an address is allowed, and passes their bytes on unread.

gRPC offers no way to refuse a connection before its TLS handshake, and the handshake is what a stranger makes dear. So
the server listens on loopback, behind this door. Who comes too often is hung up on, and where he goes on the kernel
does not answer him for a while (`door_filter`).
"""

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from workers.transport import limits
from workers.transport.door_filter import deafen
from workers.transport.door_rates import Rates
from workers.transport.limits_peers import address_of

BACKLOG: Final = 256
BREATH_S: Final = 0.05  # after somebody was turned away: then many are looked at in one go
DEAF_AFTER: Final = 10  # attempts in a row
DEAF_S: Final = 1.0  # at least
REFUSALS: Final = 3  # calls without a valid token that one connection may make
LAST_WORD_S: Final = 0.5  # for the answer to the last of them to arrive
LINGER_S: Final = 2.0  # for the rest of what a server that hung up has said
REMEMBERED_S: Final = 10.0  # after they left: a call may still be answered, and counted
SILENT_MS: Final = 20_000  # a peer that acknowledges nothing for so long is gone
_BEHIND: Final = "127.0.0.1"
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Visitor:
    address: str
    proven: bool = False
    """Whether a valid token was shown on this connection."""
    refusals: int = 0
    left: bool = False
    halves: list["_Half"] = field(default_factory=list)


class _Half(asyncio.Protocol):
    """One of the two sockets of a visitor; what it receives goes to the other."""

    def __init__(self, ended: Callable[["_Half"], None]) -> None:
        self.other: _Half | None = None
        self.deaf = False
        self._transport: asyncio.Transport | None = None
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.send(data)

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.listen(False)

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.listen(True)

    def listen(self, wanted: bool) -> None:
        if self._transport is not None:
            if wanted and not self.deaf:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(self)

    def close(self) -> None:
        """When what is on its way was sent, but not later than soon."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Door:
    """Listens from the start; lets visitors in between `open` and `close`. All of it in one event loop."""

    def __init__(
        self, host: str, port: int, note: Callable[[str, str], None], rates: Rates | None = None
    ) -> None:
        """`note(address, what)` is told of everybody who is turned away. Raises OSError when it cannot listen."""
        self._listeners = _listen(host, port)
        self.port: int = self._listeners[0].getsockname()[1]
        self._note = note
        self._rates = rates or Rates()
        self._behind = 0
        self._visitors: dict[int, _Visitor] = {}  # by the port they have on the server's side
        self._inside = 0
        self._entering: set[asyncio.Task[None]] = set()
        self._deaf_to: dict[str, asyncio.TimerHandle] = {}
        self._pauses: set[asyncio.TimerHandle] = set()

    def open(self, behind: int) -> None:
        """Begin to let visitors in to the server at this port of loopback."""
        self._behind = behind
        for listener in self._listeners:
            self._attend(listener)

    def close(self) -> None:
        """Hang up on everybody and listen no more."""
        loop = asyncio.get_running_loop()
        for timer in (*self._pauses, *self._deaf_to.values()):
            timer.cancel()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()
        for task in self._entering:
            task.cancel()
        for visitor in list(self._visitors.values()):
            for half in visitor.halves:
                half.abort()

    def address(self, peer: str) -> str | None:
        """Whence the peer came that gRPC calls `peer`; None when not through this door."""
        visitor = self._visitors.get(_port(peer))
        return visitor.address if visitor is not None else None

    def proven(self, peer: str) -> None:
        """This peer showed a valid token."""
        if (visitor := self._visitors.get(_port(peer))) is not None:
            visitor.proven = True

    def refused(self, peer: str) -> None:
        """A call of this peer was refused: after a few the connection ends."""
        visitor = self._visitors.get(_port(peer))
        if visitor is None or visitor.proven:
            return
        visitor.refusals += 1
        if visitor.refusals == REFUSALS:
            outer = visitor.halves[-1]
            outer.deaf = True
            outer.listen(False)
            asyncio.get_running_loop().call_later(LAST_WORD_S, outer.close)

    def _attend(self, listener: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(listener, self._arrivals, listener)

    def _arrivals(self, listener: socket.socket) -> None:
        pause_s = 0.0
        for _ in range(BACKLOG):
            try:
                accepted, name = listener.accept()
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    log.error("no more connections can be taken: %s", error.strerror)
                    pause_s = 1.0
                elif not isinstance(error, BlockingIOError):
                    continue  # that peer left before it was looked at
                break
            address = address_of(f"ip:[{name[0]}]:0")
            if self._may_enter(address):
                self._begin(accepted, address)
            else:
                _hang_up(accepted)
                pause_s = BREATH_S
        if pause_s:
            self._rest(listener, pause_s)

    def _may_enter(self, address: str) -> bool:
        if self._inside >= limits.CONNECTIONS:
            self._note(address, "connections while too many are open")
            return False
        if self._rates.admit(address):
            return True
        self._note(address, "connections in too quick succession")
        if self._rates.turned_away(address) >= DEAF_AFTER and address not in self._deaf_to:
            wait_s = max(DEAF_S, self._rates.wait_s(address))
            loop = asyncio.get_running_loop()
            self._deaf_to[address] = loop.call_later(wait_s, self._hear_again, address)
            self._deafen()
        return False

    def _hear_again(self, address: str) -> None:
        del self._deaf_to[address]
        self._deafen()

    def _deafen(self) -> None:
        for listener in self._listeners:
            deafen(listener, self._deaf_to.keys())

    def _rest(self, listener: socket.socket, pause_s: float) -> None:
        def go_on() -> None:
            self._pauses.discard(timer)
            self._attend(listener)

        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        timer = loop.call_later(pause_s, go_on)
        self._pauses.add(timer)

    def _begin(self, accepted: socket.socket, address: str) -> None:
        self._inside += 1
        task = asyncio.get_running_loop().create_task(self._enter(accepted, _Visitor(address)))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    def _forget(self, port: int, visitor: _Visitor) -> None:
        if self._visitors.get(port) is visitor:
            del self._visitors[port]

    async def _enter(self, accepted: socket.socket, visitor: _Visitor) -> None:
        """Connect to the server, and both ends with one another."""
        loop = asyncio.get_running_loop()
        port = 0

        def ended(half: _Half) -> None:
            if half.other is not None:
                half.other.close()
            if visitor.left:
                return
            visitor.left = True
            self._inside -= 1
            loop.call_later(REMEMBERED_S, self._forget, port, visitor)
            if not visitor.proven:
                self._rates.barren(visitor.address)

        def outer() -> _Half:
            visitor.halves.append(_Half(ended))
            inner.other, visitor.halves[-1].other = visitor.halves[-1], inner
            return visitor.halves[-1]

        try:
            accepted.setblocking(False)
            _end_when_silent(accepted)
            transport, inner = await loop.create_connection(lambda: _Half(ended), _BEHIND, self._behind)
        except (OSError, asyncio.CancelledError) as error:
            accepted.close()
            self._inside -= 1
            if isinstance(error, OSError):
                return  # the server is ending, or that peer has gone
            raise
        port = transport.get_extra_info("sockname")[1]
        visitor.halves.append(inner)
        self._visitors[port] = visitor
        try:
            await loop.connect_accepted_socket(outer, accepted)
        except OSError:
            inner.abort()


def _listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets at all addresses of `host`, with one port. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    try:
        for family, _, _, _, name in dict.fromkeys(found):
            both = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
            at = (name[0], port or (listeners[0].getsockname()[1] if listeners else 0), *name[2:])
            try:
                one = socket.create_server(at, family=family, backlog=BACKLOG, dualstack_ipv6=both)
            except OSError:
                if not listeners:
                    raise
                continue  # "localhost" is of two families where one is switched off
            one.setblocking(False)
            listeners.append(one)
    except OSError:
        for one in listeners:
            one.close()
        raise
    return listeners


def _hang_up(accepted: socket.socket) -> None:
    """At once and for good: nothing of the connection stays behind here."""
    with accepted:
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _end_when_silent(accepted: socket.socket) -> None:
    if (option := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
        accepted.setsockopt(socket.IPPROTO_TCP, option, SILENT_MS)


def _port(peer: Any) -> int:
    """Port of a name like ipv4:127.0.0.1:40000."""
    digits = str(peer).rpartition(":")[2]
    return int(digits) if digits.isdigit() else 0
