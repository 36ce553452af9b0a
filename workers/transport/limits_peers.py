"""What strangers may try, by address: few enrolments, few failures, few lines in the log about them."""

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

WINDOW_S: Final = 60.0
ENROLMENTS: Final = 5  # per address and window
FAILURES: Final = 20  # per address and window; then locked out until they are that old
MOST_ADDRESSES: Final = 4096  # remembered; the one silent for longest is forgotten first
REPORT_PERIOD_S: Final = 10.0
MOST_REPORTED: Final = 5


@dataclass(frozen=True)
class SecurityEvent:
    """Strangers at the door; sent at once for the first, then at most every ten seconds."""

    address: str
    what: str
    count: int  # since the last event about them


def address_of(peer: str) -> str:
    """Address in gRPC's name of a peer, without its port; of IPv6 the /64, which is what one host can vary.

    >>> address_of("ipv4:10.0.0.7:51000"), address_of("ipv6:%5B2001:db8::1%5D:51000")
    ('10.0.0.7', '2001:db8::/64')
    """
    bare = unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]")
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return "elsewhere"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


@dataclass
class _Past:
    enrolments: deque[float] = field(default_factory=lambda: deque(maxlen=ENROLMENTS))
    failures: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))


class Peers:
    """What each address did in the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._past: OrderedDict[str, _Past] = OrderedDict()

    def may_enrol(self, address: str) -> bool:
        """Whether this address has an enrolment left in this minute; it is used up."""
        tried = self._of(address).enrolments
        if self._full(tried):
            return False
        tried.append(self._clock())
        return True

    def failed(self, address: str) -> None:
        self._of(address).failures.append(self._clock())

    def locked_out(self, address: str) -> bool:
        """Whether this address failed twenty times within the last minute."""
        return address in self._past and self._full(self._past[address].failures)

    def __len__(self) -> int:
        return len(self._past)

    def _full(self, times: deque[float]) -> bool:
        return len(times) == times.maxlen and self._clock() - times[0] < WINDOW_S

    def _of(self, address: str) -> _Past:
        past = self._past.setdefault(address, _Past())
        self._past.move_to_end(address)
        if len(self._past) > MOST_ADDRESSES:
            self._past.popitem(last=False)
        return past


class Watchman:
    """Tells of strangers without letting them write the log: sums them up, the busiest five addresses by name."""

    def __init__(self, tell: Callable[[SecurityEvent], None]) -> None:
        self._tell = tell
        self._seen: Counter[tuple[str, str]] = Counter()
        self._pending: asyncio.TimerHandle | None = None

    def note(self, address: str, what: str) -> None:
        """Must be called in the event loop."""
        if len(self._seen) >= MOST_ADDRESSES and (address, what) not in self._seen:
            address = "elsewhere"
        self._seen[address, what] += 1
        if self._pending is None:
            self._report()
            self._pending = asyncio.get_running_loop().call_later(REPORT_PERIOD_S, self._due)

    def close(self) -> None:
        """Tell what was not told yet."""
        if self._pending is not None:
            self._pending.cancel()
            self._report()

    def _due(self) -> None:
        self._pending = None
        if self._seen:
            self._report()
            self._pending = asyncio.get_running_loop().call_later(REPORT_PERIOD_S, self._due)

    def _report(self) -> None:
        for (address, what), count in self._seen.most_common(MOST_REPORTED):
            self._tell(SecurityEvent(address, what, count))
        others = sum(self._seen.values()) - sum(count for _, count in self._seen.most_common(MOST_REPORTED))
        if others:
            self._tell(SecurityEvent("other addresses", "calls without a valid token", others))
        self._seen.clear()
