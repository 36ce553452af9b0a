"""Pictures as they lie in a dataset: PNG in a table, or a video with one frame every 1/fps s from 0 on."""

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""[H, W, 3], red first."""

CODEC, PIXELS = "h264", "yuv420p"
_ENCODER = "libx264"
# A key frame every other frame, as LeRobot has it: a loader that jumps about decodes two frames at most. No frame
# refers to a later one, so that times begin at 0. Of a noisy 640x480 picture this preset takes 3 ms to encode and 1 ms
# to decode, and 17 kB; "veryfast" 5 ms, 1.7 ms and 5 kB; LeRobot's AV1 10 ms.
_OPTIONS = {"preset": "ultrafast", "crf": "20", "g": "2", "bf": "0", "threads": "1"}
_PNG_OPTIONS = [  # of a noisy 640x480 picture: 8 ms and 477 kB; the default strategy takes 18 ms for 531 kB
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
]  # fmt: skip
_PNG = b"\x89PNG"


def png_of(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _PNG_OPTIONS)
    return encoded.tobytes()


def picture_of(file: bytes) -> Picture:
    """The picture in a PNG file, or one of any other kind. Raises OSError or ValueError when it is none."""
    if file.startswith(_PNG):
        decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("a picture that is damaged")
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
    from PIL import Image  # what LeRobot decodes with; others than PNG are rare

    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


def description(shape: tuple[int, int, int], fps: float) -> dict[str, Any]:
    """What `meta/info.json` says of a video of pictures `shape` [H, W, 3]."""
    return {
        "video.height": shape[0],
        "video.width": shape[1],
        "video.codec": CODEC,
        "video.pix_fmt": PIXELS,
        "video.is_depth_map": False,
        "video.fps": fps,
        "video.channels": shape[2],
        "has_audio": False,
    }


class VideoWriter:
    """Encodes pictures of one size into an open file. Raises OSError, of a full disk too."""

    def __init__(self, file: BinaryIO, height: int, width: int, fps: float) -> None:
        self._file = NeverFailing(file)
        self._container = av.open(self._file, "w", format="mp4")
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream(_ENCODER, rate, options=dict(_OPTIONS))
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, PIXELS
        self._tick = 1 / rate
        self._stream.time_base = self._tick
        self._count = 0

    def add(self, picture: Picture) -> None:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self._count, self._tick
        self._count += 1
        self._container.mux(self._stream.encode(frame))
        self._file.check()

    def close(self) -> None:
        """Write what is still in the encoder, and the index by which the file is read."""
        self._container.mux(self._stream.encode())
        self._container.close()
        self._file.check()


class NeverFailing:
    """A file for libav, which crashes where one fails (PyAV 15.1): from the first error on nothing is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def write(self, content: bytes) -> int:
        self._attempt(self._file.write, content)
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._attempt(self._file.seek, offset, whence) or 0

    def tell(self) -> int:
        return self._attempt(self._file.tell) or 0

    def check(self) -> None:
        """Raise the error there was."""
        if self._error is not None:
            raise self._error

    def _attempt(self, work: Callable[..., int], *arguments: object) -> int | None:
        if self._error is None:
            try:
                return work(*arguments)
            except OSError as error:
                self._error = error
        return None


def video_length(path: Path) -> tuple[int, float]:
    """How many frames a video has, and how many a second, as it says itself. Raises like `video_frames`."""
    said = 0, 0.0
    with av.open(str(path)) as container:
        for stream in container.streams.video:
            said = stream.frames, float(stream.average_rate or 0)
    return said


def video_frames(path: Path, first: int, count: int, fps: float, threads: int = 0) -> Iterator[Picture]:
    """Frames `first` to `first + count - 1` of a video, one at a time, as LeRobot decodes them.

    `threads` of libav decode, 0: as many as the machine has cores. Whoever reads two videos at once does better with
    one each: of 128x128 pictures it takes a third less of the processor.

    Raises OSError, av.FFmpegError, or LookupError where the video ends before or has another frame rate.
    """
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise LookupError(f"{path} has no pictures")
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "AUTO", threads
        rate, tick = stream.average_rate, stream.time_base
        if rate is None or tick is None or abs(float(rate) - fps) > 1e-3 * fps:
            raise LookupError(f"{path} has {rate or 0} frames a second, the dataset {fps:g}")
        if first:
            container.seek(int(first / rate / tick), stream=stream)
        due, converter = first, VideoReformatter()
        of_tick, ticks = (tick * rate).as_integer_ratio()  # frames in so many ticks
        for frame in container.decode(stream):
            number = ((frame.pts or 0) * of_tick + ticks // 2) // ticks  # the nearest
            if number < due:
                continue  # from the key frame up to the first that is wanted
            if due >= first + count:
                return
            if number > due:
                raise LookupError(f"{path} has no frame {due}")
            yield _as_array(converter.reformat(frame, format="rgb24"))
            due += 1
        if due < first + count:
            raise LookupError(f"{path} ends after {due} frames, {first + count} were recorded")


def _as_array(frame: av.VideoFrame) -> Picture:
    """The pixels of an rgb24 frame where they lie, in memory of its own: not copied. Rows may have a gap between."""
    plane = frame.planes[0]
    rows = np.asarray(plane, np.uint8).reshape(frame.height, plane.line_size)
    pixels: Picture = rows[:, : 3 * frame.width].reshape(frame.height, frame.width, 3)
    return pixels
