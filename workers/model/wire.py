"""Frames on the station's Unix socket: 4-byte big-endian length, then MessagePack of a tagged type.

A console says `Hello` first and gets `Welcome` (with the snapshot) or `Refused`; then events flow one way and
commands the other. A connection that says hello with role "stop" carries nothing but `Stop`, one with role "drive"
nothing but `Drive`.
"""

import struct
from enum import StrEnum

import msgspec

from workers.model.commands import AnyCommand, Command
from workers.model.events import AnyEvent, Event
from workers.model.state import ConsoleState

PROTOCOL_VERSION = 4
MAX_FRAME_BYTES = 4 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Role(StrEnum):
    CONSOLE = "console"
    STOP = "stop"
    DRIVE = "drive"


class Hello(msgspec.Struct, frozen=True, tag=True):
    protocol: int
    role: Role
    console: str  # a name a person recognises: user@terminal, pid


class Welcome(msgspec.Struct, frozen=True, tag=True):
    protocol: int
    station_pid: int
    snapshot: ConsoleState
    monotonic_s: float  # the station's clock at sending


class Refused(msgspec.Struct, frozen=True, tag=True):
    reason: str
    fix: str


class Batch(msgspec.Struct, frozen=True, tag=True):
    """Events in order."""

    events: list[AnyEvent]


FromConsole = Hello | AnyCommand
FromStation = Welcome | Refused | Batch

_encoder = msgspec.msgpack.Encoder()
_from_console: msgspec.msgpack.Decoder[FromConsole] = msgspec.msgpack.Decoder(FromConsole)
_from_station: msgspec.msgpack.Decoder[FromStation] = msgspec.msgpack.Decoder(FromStation)
_event: msgspec.msgpack.Decoder[AnyEvent] = msgspec.msgpack.Decoder(AnyEvent)
_command: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)


class WireError(Exception):
    """The peer sent something that is not a frame of this protocol."""


def frame(message: msgspec.Struct) -> bytes:
    """Length-prefixed bytes of a message."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def frame_length(head: bytes) -> int:
    """Body length from the 4 head bytes; WireError when it is more than a frame may hold."""
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise WireError(f"a frame of {length} bytes was announced, the limit is {MAX_FRAME_BYTES}")
    return int(length)


HEAD_BYTES = _LENGTH.size


def decode_from_console(body: bytes) -> FromConsole:
    try:
        return _from_console.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a message of protocol {PROTOCOL_VERSION}: {error}") from error


def decode_from_station(body: bytes) -> FromStation:
    try:
        return _from_station.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a message of protocol {PROTOCOL_VERSION}: {error}") from error


def encode_event(event: Event) -> bytes:
    return _encoder.encode(event)


def decode_event(body: bytes) -> AnyEvent:
    return _event.decode(body)


def encode_command(command: Command) -> bytes:
    return _encoder.encode(command)


def decode_command(body: bytes) -> AnyCommand:
    return _command.decode(body)
