"""What every real camera offers, whatever it is plugged into: pictures with the moment they were taken."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
RATE_TOLERANCE: Final = 0.05
"""A rate that is off by more is another rate: data stamped with it would be wrong."""


class CameraGone(Exception):
    """The camera is not there, or gives nothing any more; it may come back. The text is for the operator."""


class CameraUnfit(Exception):
    """The camera is there and does not give what is wanted; the text says what it offers instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configuration asks of a camera."""

    device: int | str  # index, path, address or file
    width: int  # pixels of the published picture, after the rotation
    height: int
    fps: float
    fourcc: str | None = None
    rotation: int = 0  # degrees clockwise; -90 is 270

    @property
    def capture_size(self) -> tuple[int, int]:
        """Width and height that the camera itself must give."""
        return (self.height, self.width) if self.rotation % 180 else (self.width, self.height)


class Mode(NamedTuple):
    """A way in which a camera gives pictures. Size as the camera has it, before any rotation."""

    width: int
    height: int
    fps: float  # 0: the camera does not say
    fourcc: str = ""

    def __str__(self) -> str:
        rate = f" at {self.fps:g} fps" if self.fps > 0 else ""
        return f"{self.width}x{self.height}{rate}" + (f" ({self.fourcc})" if self.fourcc else "")


class Shot(NamedTuple):
    """A picture RGB uint8 [H, W, 3], turned upright, and when it left the camera's driver."""

    pixels: Picture
    captured_ns: int  # monotonic clock


class Source(Protocol):
    """An open camera. One thread may use it: OpenCV crashes where two read one capture."""

    mode: Mode
    broken: int
    """Pictures that arrived damaged and were dropped."""

    def shoot(self) -> Shot | None:
        """Wait for the next picture; None of a damaged one. Raises CameraGone."""
        ...

    def close(self) -> None: ...
