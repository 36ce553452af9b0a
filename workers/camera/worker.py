"""Camera worker: one camera, its newest frame in shared memory, and the small picture the consoles asked for."""

import time

import numpy as np
import numpy.typing as npt

from workers.config import Config
from workers.model.events import FramePreview
from workers.model.orders import Preview
from workers.robot.board import Board, frame_dtype
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.pacer import Pacer
from workers.runtime.phases import CAMERA_S

RATE_PERIOD_S = 1.0


def main(desk: Desk, config: Config, name: str, board: Board) -> None:
    """Render or read frames at the camera's rate until told to quit.

    Raises WorkerFailure when the camera cannot be opened.
    """
    from workers.camera.build import renderer_of  # brings MuJoCo and EGL
    from workers.camera.drivers.sim import RendererUnavailable

    camera = config.env.cameras[name]
    try:
        renderer = renderer_of(config, (name,))
    except (RendererUnavailable, ValueError) as error:
        raise WorkerFailure(str(error)) from error
    record = np.zeros((), frame_dtype(camera.height, camera.width))
    frames = board.frames[name]
    pacer = Pacer(desk.name, 1.0 / camera.fps, CAMERA_S)
    previews = Previews(name)
    last_rate_s = time.monotonic()
    while desk.alive():
        scene = board.arm.read()
        if scene is not None:
            arm = scene[1]
            record["captured_ns"] = arm["at_ns"]  # the picture shows the arm as it was then
            record["pixels"] = renderer.render(arm["scene"], int(arm["look_seed"]))[name]
            record["number"] += 1
            frames.write(record)
            picture = previews.due(record["pixels"], time.monotonic())
            if picture is not None:
                desk.mailbox.emit(picture)
        _take_orders(desk, previews)
        if time.monotonic() - last_rate_s > RATE_PERIOD_S:
            last_rate_s = time.monotonic()
            desk.mailbox.emit(pacer.rate())
        pacer.wait()


def _take_orders(desk: Desk, previews: "Previews") -> None:
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
