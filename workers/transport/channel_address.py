"""HOST:PORT, and which of them reach this machine."""

import socket
import struct
import sys

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
_SIOCGIFADDR = 0x8915  # linux/sockios.h


def split(address: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[v6]:port". Raises ValueError with a sentence for people."""
    host, colon, port = address.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{address!r}: an IPv6 address is written in brackets, like [::1]:50051")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{address!r} is not HOST:PORT, like 10.0.0.5:50051")
    if not host.isprintable() or any(letter in host for letter in " /\\@?#"):
        raise ValueError(f"{address!r} is not HOST:PORT, like 10.0.0.5:50051: no host is called {host!r}")
    return host, int(port)


def joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def machine_addresses() -> list[str]:
    """IPv4 addresses others may reach this machine at, the one of the default route first; no name is looked up."""
    found = [_default_route(), *_of_interfaces()]
    return list(dict.fromkeys(one for one in found if one and not one.startswith("127."))) or ["127.0.0.1"]


def _default_route() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737; connecting a UDP socket sends nothing
        except OSError:
            return None
        name: tuple[str, int] = probe.getsockname()
        return name[0]


def _of_interfaces() -> list[str]:
    if sys.platform != "linux":
        return []
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # an interface without an address
            found.append(socket.inet_ntoa(answer[20:24]))
    return found
