"""Cameras through OpenCV: USB cameras (V4L2), streams of the network (FFmpeg), and video files, played at their rate.

Facts that shape this (OpenCV 4 and 5, measured): `read` of a stalled stream blocks for 30 s unless it is given a limit,
and afterwards the capture is dead though `isOpened` says otherwise; a stream whose size changes goes on in the old one;
frames of a file come as fast as they are asked for; two threads on one capture crash Python.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workers.camera.drivers.jpeg import JpegDecoder, is_jpeg
from workers.camera.drivers.negotiate import mode_of, negotiate
from workers.camera.drivers.source import CameraGone, CameraUnfit, Mode, Picture, Shot, Source, Wanted

OPEN_LIMIT_MS: Final = 3000
READ_LIMIT_MS: Final = 500
ADVICE: Final = "`hilserl-worker find-cameras` prints what there is"
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def open_camera(wanted: Wanted) -> Source:
    """Open a camera and take a first look at it.

    Raises CameraGone where it cannot be opened, CameraUnfit where it does not give what is wanted.
    """
    cv2.setNumThreads(1)  # pictures are too small to share
    device = wanted.device
    if isinstance(device, int) or device.startswith("/dev/"):
        return _open_device(wanted)
    if "://" in device:
        return _open_stream(wanted)
    return _open_file(wanted)


def _open_device(wanted: Wanted) -> Source:
    device = wanted.device
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
    if sys.platform == "linux":
        _look_at(path)
    opened = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    if not opened.isOpened():
        opened.release()
        raise CameraGone(f"{path} cannot be opened: does another program use it? `fuser {path}` says which")
    return _checked(opened, wanted, lambda: negotiate(opened, wanted))


def _look_at(path: Path) -> None:
    """What is wrong with a device file, in words better than OpenCV's. Raises CameraGone."""
    if not path.exists():
        raise CameraGone(f"there is no {path}: is it plugged in? {ADVICE}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraGone(f"{path} may not be opened: `sudo usermod -aG video $USER`, then log in again")


def _open_stream(wanted: Wanted) -> Source:
    """MJPEG streams are taken as they come, packet by packet; others are decoded by OpenCV."""
    raw = _stream(wanted, cv2.CAP_PROP_FORMAT, -1)
    if raw.grab() and is_jpeg(_bytes(raw)):
        return _checked(raw, wanted, lambda: _mode_of_stream(raw, wanted), JpegDecoder())
    raw.release()
    plain = _stream(wanted)
    return _checked(plain, wanted, lambda: _mode_of_stream(plain, wanted))


def _stream(wanted: Wanted, *more: int) -> cv2.VideoCapture:
    limit_ms = max(READ_LIMIT_MS, round(3000 / wanted.fps))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    capture = cv2.VideoCapture(
        str(wanted.device), cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1, *more]
    )
    if not capture.isOpened():
        capture.release()
        raise CameraGone(f"{wanted.device} does not answer: is the address right, and the camera on?")
    return capture


def _open_file(wanted: Wanted) -> Source:
    path = str(wanted.device)
    if not Path(path).is_file():
        raise CameraGone(f"there is no {path}, neither a device nor a video file; {ADVICE}")
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise CameraUnfit(f"{path} is no video that FFmpeg can read")
    source = _checked(capture, wanted, lambda: _mode_of_stream(capture, wanted)._replace(fps=wanted.fps))
    return FileSource(source, 1.0 / wanted.fps)


def _checked(
    capture: cv2.VideoCapture, wanted: Wanted, agree: Callable[[], Mode], jpeg: JpegDecoder | None = None
) -> "OpenCVSource":
    """The source, unless the camera does not give what is wanted: then it is let go."""
    try:
        return OpenCVSource(capture, wanted, agree(), jpeg)
    except BaseException:
        capture.release()
        raise


def _mode_of_stream(capture: cv2.VideoCapture, wanted: Wanted) -> Mode:
    """What a stream or file gives; nothing can be asked of it. Raises CameraUnfit."""
    mode = mode_of(capture)._replace(fps=0.0)  # FFmpeg guesses 25
    width, height = wanted.capture_size
    if mode.width and (mode.width, mode.height) != (width, height):
        turned = bool(wanted.rotation % 180)
        key_w, key_h = (mode.height, mode.width) if turned else (mode.width, mode.height)
        raise CameraUnfit(f"it gives {mode}, not {width}x{height}: set width = {key_w} and height = {key_h}")
    return mode


class OpenCVSource:
    """An open capture. `shoot` waits for the next picture; the thread that calls it must do everything else too."""

    def __init__(
        self, capture: cv2.VideoCapture, wanted: Wanted, mode: Mode, jpeg: JpegDecoder | None = None
    ) -> None:
        self.mode = mode
        self.broken = 0
        self._capture = capture
        self._jpeg = jpeg
        self._size = wanted.capture_size
        self._turn = _TURNS.get(wanted.rotation % 360)

    def shoot(self) -> Shot | None:
        try:
            if not self._capture.grab():
                raise CameraGone("it gives no pictures any more")
            captured_ns = time.monotonic_ns()
            picture = self._picture()
        except cv2.error as error:
            raise CameraGone(f"OpenCV cannot read it: {str(error).strip()}") from error
        if picture is None:
            self.broken += 1
            return None
        if picture.shape[1::-1] != self._size:
            width, height = picture.shape[1::-1]
            raise CameraGone(f"it gives {width}x{height} now, not {self._size[0]}x{self._size[1]}")
        if self._turn is not None:
            picture = np.asarray(cv2.rotate(picture, self._turn), np.uint8)
        return Shot(picture, captured_ns)

    def rewind(self) -> None:
        """To the first picture of a file."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0.0)

    def close(self) -> None:
        self._capture.release()

    def _picture(self) -> Picture | None:
        """RGB uint8 [H, W, 3] of what was grabbed; None where it is damaged."""
        if self._jpeg is not None:
            return self._jpeg.decode(_bytes(self._capture))
        done, picture = self._capture.retrieve()
        if not done or picture is None or picture.ndim != 3:
            return None
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


class FileSource:
    """A video file as a camera: its pictures at the wanted rate, from the beginning again after the last."""

    def __init__(self, source: OpenCVSource, period_s: float) -> None:
        self.mode = source.mode
        self.broken = 0
        self._source = source
        self._period_s = period_s
        self._due_s = time.monotonic()

    def shoot(self) -> Shot | None:
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = max(self._due_s, time.monotonic() - self._period_s) + self._period_s
        try:
            return self._source.shoot()
        except CameraGone:
            self._source.rewind()
            return self._source.shoot()

    def close(self) -> None:
        self._source.close()


def _bytes(capture: cv2.VideoCapture) -> bytes:
    """The packet that was grabbed, as it came."""
    done, packet = capture.retrieve()
    return packet.tobytes() if done and packet is not None else b""
