"""Whether a camera's pictures can be trusted: black, over-exposed, frozen; and whether they come at their rate.

A camera's noise makes any two pictures differ; ten alike in a row are one picture, shown ten times.
"""

from collections import deque
from enum import StrEnum
from typing import Final

import numpy as np

from workers.camera.drivers.source import RATE_TOLERANCE, Picture
from workers.model.events import LoopRate

FLAT_STD: Final = 2.0  # of 255; a lens cap shows less, a lit table more
DARK_MEAN, BRIGHT_MEAN = 8.0, 247.0
FLAT_FRAMES: Final = 5
FROZEN_FRAMES: Final = 10
FROZEN_S: Final = 0.8  # for a slow camera ten pictures would take too long
THINNED: Final = 4  # every so many rows and columns are enough to judge the light by
RATE_WINDOW_S: Final = 3.0
LEAST_FRAMES: Final = 10  # for a rate


class Flaw(StrEnum):
    """What is wrong with a camera's picture, though it is fresh."""

    NONE = ""
    BLACK = "black"
    BRIGHT = "bright"
    FROZEN = "frozen"


def light_of(picture: Picture) -> Flaw:
    """Whether a picture uint8 [H, W, 3] shows nothing: all dark, or all white."""
    thin = picture[::THINNED, ::THINNED]
    if float(thin.std()) >= FLAT_STD:
        return Flaw.NONE
    mean = float(thin.mean())
    return Flaw.BLACK if mean < DARK_MEAN else Flaw.BRIGHT if mean > BRIGHT_MEAN else Flaw.NONE


def alike(one: Picture, other: Picture) -> bool:
    """Whether two pictures are the same, pixel by pixel; of most that are not, a glance tells."""
    return np.array_equal(one[:: 4 * THINNED], other[:: 4 * THINNED]) and np.array_equal(one, other)


class Watch:
    """Looks at one picture after the other. `changed_ns` is when what they show last changed."""

    def __init__(self) -> None:
        self.changed_ns = 0
        self._last: Picture | None = None
        self._alike = 0
        self._light, self._flat = Flaw.NONE, 0

    def look(self, picture: Picture, captured_ns: int) -> Flaw:
        """What is wrong as of this picture. Black pictures are alike too: they count as black, not as frozen."""
        light = light_of(picture)
        self._flat = self._flat + 1 if light is self._light else 1
        self._light = light
        same = self._last is not None and light is Flaw.NONE and alike(picture, self._last)
        self._alike = self._alike + 1 if same else 1
        self._last = picture
        if not same:
            self.changed_ns = captured_ns
        if light is not Flaw.NONE and self._flat >= FLAT_FRAMES:
            return light
        too_long = same and captured_ns - self.changed_ns > FROZEN_S * 1e9
        return Flaw.FROZEN if self._alike >= FROZEN_FRAMES or too_long else Flaw.NONE


class RateWatch:
    """Measures how often pictures come, over the last seconds."""

    def __init__(self, worker: str, wanted_hz: float) -> None:
        self._worker, self._wanted_hz = worker, wanted_hz
        self._times: deque[float] = deque()
        self._began_s: float | None = None
        self._off = False

    def add(self, captured_s: float) -> None:
        if self._began_s is None:
            self._began_s = captured_s
        self._times.append(captured_s)
        while captured_s - self._times[0] > RATE_WINDOW_S:
            self._times.popleft()

    def restart(self) -> None:
        """Forget what was, after the camera was away."""
        self._times.clear()
        self._began_s = None

    @property
    def hz(self) -> float:
        """0 before there is anything to measure."""
        span_s = self._times[-1] - self._times[0] if self._times else 0.0
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0

    def judge(self) -> str:
        """What to say of the rate when that changed, else ""."""
        hz, wanted = self.hz, self._wanted_hz
        measured_s = self._times[-1] - self._began_s if self._times and self._began_s is not None else 0.0
        if measured_s < RATE_WINDOW_S or len(self._times) < min(LEAST_FRAMES, wanted * RATE_WINDOW_S / 2):
            return ""
        off = abs(hz / wanted - 1.0) > (RATE_TOLERANCE / 2 if self._off else RATE_TOLERANCE)
        if off == self._off:
            return ""
        self._off = off
        if not off:
            return f"it gives {wanted:g} pictures a second again"
        likely = (
            "low light makes many cameras slower, and so does a USB bus they share" if hz < wanted else ""
        )
        return f"it gives {hz:.1f} pictures a second, not {wanted:g}" + (f": {likely}" if likely else "")

    def rate(self, dropped: int) -> LoopRate:
        """Figures of the pictures' distances; `dropped` of them were damaged or missed."""
        distances = sorted(b - a for a, b in zip(self._times, list(self._times)[1:], strict=False))
        if not distances:
            return LoopRate(self._worker, 0.0, 0.0, 0.0, dropped)
        p99 = distances[min(len(distances) - 1, int(len(distances) * 0.99))]
        return LoopRate(
            self._worker, self.hz, distances[len(distances) // 2] * 1e3, p99 * 1e3, overruns=dropped
        )
