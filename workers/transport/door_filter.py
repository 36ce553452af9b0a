"""Deafness of a listening socket: the kernel drops what some addresses send to open a connection.

An address that opens connections faster than the door lets it costs nothing then: no process wakes for it. Linux only;
elsewhere such connections are accepted and closed, which costs some 20 us each.
"""

import ctypes
import ipaddress
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from typing import Final

MOST_ADDRESSES: Final = 256
_ATTACH, _DETACH = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER of asm-generic/socket.h

# Classic BPF (linux/filter.h, linux/bpf_common.h): code, how far to jump if true and if false, constant.
_LOAD_WORD, _LOAD_BYTE, _AND, _SHIFT_RIGHT, _JUMP, _JUMP_IF, _RETURN = (
    0x20,
    0x30,
    0x54,
    0x74,
    0x05,
    0x15,
    0x06,
)
_IP_HEADER: Final = 0xFFF00000  # SKF_NET_OFF, -0x100000; plain offsets count from the TCP header
_TCP_FLAGS, _SYN, _SYN_OR_ACK = 13, 0x02, 0x12
_SOURCE_4, _SOURCE_6 = 12, 8  # offsets of the source address in either IP header
_DROP, _PASS = 0, 0xFFFFFFFF
_Instruction = tuple[int, int, int, int]


def deafen(listener: socket.socket, addresses: Collection[str]) -> None:
    """Drop attempts of these addresses, and of no others, to open a connection; open connections go on.

    `addresses` as `limits_peers.address_of` writes them: IPv4 addresses, IPv6 networks of 64 bits, or "::1".
    At most `MOST_ADDRESSES` are heeded. Where the system has no such filter nothing happens.
    """
    if sys.platform != "linux":
        return
    try:
        if not addresses:
            listener.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
            return
        code = b"".join(struct.pack("HBBI", *one) for one in _program(list(addresses)[:MOST_ADDRESSES]))
        held = ctypes.create_string_buffer(code)
        program = struct.pack("HP", len(code) // 8, ctypes.addressof(held))
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH, program)
    except OSError:
        return  # none attached, or forbidden by a sandbox: the door closes what it accepts


def _program(addresses: Collection[str]) -> Iterator[_Instruction]:
    networks = [ipaddress.ip_network(one, strict=False) for one in addresses]
    four = [_of_four(int(one.network_address)) for one in networks if one.version == 4]
    six = [_of_six(int(one.network_address)) for one in networks if one.version == 6]
    four_length = 1 + sum(map(len, four))
    yield _LOAD_BYTE, 0, 0, _TCP_FLAGS
    yield _AND, 0, 0, _SYN_OR_ACK
    yield _JUMP_IF, 1, 0, _SYN
    yield _RETURN, 0, 0, _PASS  # accepted sockets inherit the filter; theirs carry no first SYN
    yield _LOAD_BYTE, 0, 0, _IP_HEADER
    yield _SHIFT_RIGHT, 0, 0, 4
    yield _JUMP_IF, 1, 0, 4
    yield _JUMP, 0, 0, four_length + 1
    yield _LOAD_WORD, 0, 0, _IP_HEADER + _SOURCE_4
    for instructions in four:
        yield from instructions
    yield _RETURN, 0, 0, _PASS
    for instructions in six:
        yield from instructions
    yield _RETURN, 0, 0, _PASS


def _of_four(address: int) -> list[_Instruction]:
    return [(_JUMP_IF, 0, 1, address), (_RETURN, 0, 0, _DROP)]


def _of_six(network: int) -> list[_Instruction]:
    return [
        (_LOAD_WORD, 0, 0, _IP_HEADER + _SOURCE_6),
        (_JUMP_IF, 0, 3, network >> 96),
        (_LOAD_WORD, 0, 0, _IP_HEADER + _SOURCE_6 + 4),
        (_JUMP_IF, 0, 1, network >> 64 & 0xFFFFFFFF),
        (_RETURN, 0, 0, _DROP),
    ]
