"""JPEG pictures of a stream, decoded so that a damaged one is known for what it is.

OpenCV fills what is missing from a picture with grey, or with the picture before it, and says nothing. FFmpeg's decoder
can be told to refuse instead.
"""

from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from workers.camera.drivers.source import Picture

STRICT_TRIES: Final = 10  # some cameras send every JPEG with a flaw that harms nothing


class JpegDecoder:
    """Decodes one camera's pictures. One whose first ten are all refused is decoded as well as they can be."""

    def __init__(self) -> None:
        self.strict = True
        self._refused = 0
        self._context = _context(strict=True)

    def decode(self, data: bytes) -> Picture | None:
        """RGB uint8 [H, W, 3]; None of a damaged picture."""
        picture = self._decoded(data) if is_whole(data) or not self.strict else None
        if self.strict:
            self._count(picture is not None)
        return picture

    def _decoded(self, data: bytes) -> Picture | None:
        try:
            frames = self._context.decode(av.Packet(data))
        except FFmpegError:
            return None
        return np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8) if frames else None

    def _count(self, good: bool) -> None:
        if self._refused < 0:
            return  # it has given good ones
        self._refused = -1 if good else self._refused + 1
        if self._refused >= STRICT_TRIES:
            self.strict = False
            self._context = _context(strict=False)


def is_jpeg(data: bytes) -> bool:
    return data[:2] == b"\xff\xd8"


def is_whole(data: bytes) -> bool:
    """Whether a JPEG has its end; some cameras fill up with zeros behind it."""
    return is_jpeg(data) and data.rstrip(b"\0")[-2:] == b"\xff\xd9"


def _context(strict: bool) -> av.VideoCodecContext:
    # No av.logging.set_level() here or anywhere: any level but the default (silence) has libav call
    # into Python for each line, and its decoding threads then wait for the interpreter's lock while
    # the closing of their decoder, which holds it, waits for them.
    context = av.CodecContext.create("mjpeg", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    if strict:
        context.options = {"err_detect": "explode"}
    return context
