"""Small pictures of a camera for the consoles' terminals."""

import numpy as np
import numpy.typing as npt

from workers.model.events import FramePreview
from workers.model.orders import Preview
from workers.runtime.harness import Desk


def take_previews(desk: Desk, previews: "Previews") -> None:
    """Note which pictures the consoles want now."""
    while (order := desk.next_order()) is not None:
        if isinstance(order, Preview):
            previews.wanted = order


class Previews:
    """Small pictures at the rate and size the consoles asked for."""

    def __init__(self, camera: str) -> None:
        self.wanted = Preview(0, 0, 0.0)
        self._camera = camera
        self._next_s = 0.0

    def due(self, pixels: npt.NDArray[np.uint8], now_s: float) -> FramePreview | None:
        """A preview when one is due, else None."""
        wanted = self.wanted
        if wanted.width <= 0 or wanted.hz <= 0 or now_s < self._next_s:
            return None
        self._next_s = now_s + 1.0 / wanted.hz
        small = shrink(pixels, wanted.height, wanted.width)
        return FramePreview(self._camera, small.shape[1], small.shape[0], small.tobytes(), now_s)


def shrink(pixels: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Area average of uint8 [H, W, 3] that fits into height x width, aspect kept, never enlarged."""
    scale = min(height / pixels.shape[0], width / pixels.shape[1], 1.0)
    rows = max(1, round(pixels.shape[0] * scale))
    columns = max(1, round(pixels.shape[1] * scale))
    top = np.arange(rows) * pixels.shape[0] // rows
    left = np.arange(columns) * pixels.shape[1] // columns
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.uint32), top, axis=0), left, axis=1)
    heights = np.diff(np.append(top, pixels.shape[0]))
    widths = np.diff(np.append(left, pixels.shape[1]))
    small: npt.NDArray[np.uint8] = (sums // (heights[:, None] * widths[None, :])[..., None]).astype(np.uint8)
    return small
