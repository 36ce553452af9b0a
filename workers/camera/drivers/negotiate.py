"""Agreeing with a USB camera on size, rate and format.

V4L2 drivers take these one by one, and each may change the others: most want the format first, since it decides which
sizes there are, then the size, then the rate; some forget the format when the size is set. So the known orders are
tried until the camera says that it gives what is wanted.
"""

from collections.abc import Iterator
from typing import Final, Protocol

import cv2

from workers.camera.drivers.source import RATE_TOLERANCE, CameraUnfit, Mode, Wanted

FORMATS: Final = ("MJPG", "YUYV")
"""Tried in this order where no format is wanted: MJPG takes a tenth of the USB bandwidth."""
ORDERS: Final = (("fourcc", "size", "fps"), ("size", "fps", "fourcc"), ("size", "fourcc", "fps"))
COMMON_SIZES: Final = ((320, 240), (640, 480), (800, 600), (1280, 720), (1920, 1080))


class Capture(Protocol):
    """The part of cv2.VideoCapture that negotiation needs."""

    def set(self, propId: int, value: float, /) -> bool: ...
    def get(self, propId: int, /) -> float: ...


def negotiate(capture: Capture, wanted: Wanted) -> Mode:
    """Make the camera give what is wanted; what it says that it gives then.

    Raises CameraUnfit, with what it offers.
    """
    seen: list[Mode] = []
    for fourcc in (wanted.fourcc,) if wanted.fourcc else (*FORMATS, ""):
        for order in ORDERS if fourcc else ORDERS[1:2]:
            _ask(capture, wanted.capture_size, wanted.fps, fourcc, order)
            mode = mode_of(capture)
            if _fits(mode, wanted):
                return mode
            seen.append(mode)
    width, height = wanted.capture_size
    asked = Mode(width, height, wanted.fps, wanted.fourcc or "")
    offers = ", ".join(str(mode) for mode in dict.fromkeys((*seen, *offered(capture))))
    raise CameraUnfit(
        f"it does not give {asked}. It offers {offers}: set width, height, fps (and fourcc) to one of these"
        + (
            ", with width and height exchanged, since rotation turns the picture"
            * bool(wanted.rotation % 180)
        )
    )


def offered(capture: Capture) -> Iterator[Mode]:
    """What the camera makes of the common sizes, in each format."""
    for fourcc in FORMATS:
        for size in COMMON_SIZES:
            _ask(capture, size, 30.0, fourcc, ORDERS[0])
            mode = mode_of(capture)
            if (mode.width, mode.height) == size and mode.fourcc in (fourcc, ""):
                yield mode


def mode_of(capture: Capture) -> Mode:
    """What the camera says that it gives."""
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    fps = capture.get(cv2.CAP_PROP_FPS)
    return Mode(
        int(width), int(height), fps if 0 < fps < 1000 else 0.0, fourcc_text(capture.get(cv2.CAP_PROP_FOURCC))
    )


def fourcc_text(code: float) -> str:
    """The four letters in OpenCV's number, "" where it is none."""
    number = int(code) if 0 < code < 2**32 else 0
    letters = bytes((number >> 8 * place) & 0xFF for place in range(4))
    return letters.decode("ascii", "replace").strip("\0 ") if number and letters.isascii() else ""


def _ask(capture: Capture, size: tuple[int, int], fps: float, fourcc: str, order: tuple[str, ...]) -> None:
    for what in order:
        if what == "fourcc" and fourcc:
            code = sum(ord(letter) << 8 * place for place, letter in enumerate(fourcc))
            capture.set(cv2.CAP_PROP_FOURCC, float(code))
        elif what == "size":
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, float(size[0]))
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, float(size[1]))
        elif what == "fps":
            capture.set(cv2.CAP_PROP_FPS, fps)


def _fits(mode: Mode, wanted: Wanted) -> bool:
    """A camera that does not say its rate is taken at its word by nobody: the worker measures it."""
    return (
        (mode.width, mode.height) == wanted.capture_size
        and (mode.fps == 0 or abs(mode.fps / wanted.fps - 1.0) <= RATE_TOLERANCE)
        and (not wanted.fourcc or mode.fourcc in (wanted.fourcc, ""))
    )
