"""PNG: the pictures of a report, read without a library. 8 bits a channel, grey or colour, not interlaced."""

import struct
import zlib
from pathlib import Path

from workers.model.events import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type: grey, RGB, grey with alpha, RGBA
MAX_BYTES = 1 << 24
"""Of a picture when it is unpacked: a classifier's have 128x128 pixels."""


class NoPicture(Exception):
    """The file is none that can be shown; says why."""


def read_png(path: Path) -> Pixels:
    """The picture in a PNG file (W3C PNG specification, chapters 5, 9 and 11). Raises NoPicture."""
    try:
        return _picture(path.read_bytes())
    except OSError as error:
        raise NoPicture(f"the picture is gone: {error.strerror}") from error
    except (zlib.error, struct.error, IndexError, ValueError) as error:
        raise NoPicture(f"the picture is damaged: {error}") from error


def _picture(file: bytes) -> Pixels:
    if not file.startswith(_SIGNATURE):
        raise ValueError("no PNG file")
    head, packed, at = b"", b"", len(_SIGNATURE)
    while at < len(file):
        (length,), kind = struct.unpack(">I", file[at : at + 4]), file[at + 4 : at + 8]
        body = file[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            head = body
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if depth != 8 or colour not in _CHANNELS or interlaced:
        raise ValueError("of a kind that is not read here")
    channels = _CHANNELS[colour]
    size = height * (width * channels + 1)
    if not 0 < size <= MAX_BYTES:
        raise ValueError(f"{width}x{height} pixels")
    lines = _unfiltered(zlib.decompressobj().decompress(packed, size), width * channels, height, channels)
    return Pixels(height, width, b"".join(_rgb(line, channels) for line in lines))


def _unfiltered(data: bytes, stride: int, height: int, step: int) -> list[bytearray]:
    """Each line of pixels, from its difference to the pixel at the left and the line above."""
    if len(data) != height * (stride + 1):
        raise ValueError("it ends too early")
    lines: list[bytearray] = []
    above = bytearray(stride)
    for start in range(0, len(data), stride + 1):
        line = bytearray(data[start + 1 : start + 1 + stride])
        _unfilter(data[start], line, above, step)
        lines.append(line)
        above = line
    return lines


def _unfilter(kind: int, line: bytearray, above: bytearray, step: int) -> None:
    """In place; the five filters of the specification, chapter 9."""
    if kind > 4:
        raise ValueError(f"filter {kind}")
    if kind == 0:
        return
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        up = above[i]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = _paeth(left, up, above[i - step] if i >= step else 0)
        line[i] = (value + guess) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    by_left, by_up, by_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner


def _rgb(line: bytearray, channels: int) -> bytes:
    """Three bytes a pixel; what is transparent is shown as if it were not."""
    if channels == 3:
        return bytes(line)
    pixels = len(line) // channels
    out = bytearray(3 * pixels)
    for channel in range(3):
        out[channel::3] = line[channel if channels == 4 else 0 :: channels]
    return bytes(out)
