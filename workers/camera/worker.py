"""Camera worker: one camera, its newest frame in shared memory, and the small picture the consoles asked for."""

import logging
import time

import numpy as np

from workers.camera import live
from workers.camera.previews import Previews, take_previews
from workers.config import Config
from workers.robot.board import Board, frame_dtype
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.pacer import Pacer
from workers.runtime.phases import CAMERA_S

RATE_PERIOD_S = 1.0
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config, name: str, board: Board) -> None:
    """Publish pictures until told to quit.

    Raises WorkerFailure when the camera cannot be used.
    """
    camera = config.env.cameras[name]
    if camera.type == "opencv":
        live.run(desk, name, camera, board.frames[name])
    else:
        _render(desk, config, name, board)


def _render(desk: Desk, config: Config, name: str, board: Board) -> None:
    """Draw the simulator's table at the camera's rate."""
    from workers.camera.build import renderer_of  # brings MuJoCo and EGL
    from workers.camera.drivers.sim import RendererUnavailable

    camera = config.env.cameras[name]
    try:
        renderer = renderer_of(config, (name,))
    except (RendererUnavailable, ValueError) as error:
        raise WorkerFailure(str(error)) from error
    if not config.simulated:
        log.warning(
            "camera %s is simulated: it shows the arm at an empty table, and nothing that is there", name
        )
    record = np.zeros((), frame_dtype(camera.height, camera.width))
    frames = board.frames[name]
    pacer = Pacer(desk.name, 1.0 / camera.fps, CAMERA_S)
    previews = Previews(name)
    last_rate_s = time.monotonic()
    while desk.alive():
        scene = board.arm.read()
        if scene is not None:
            arm = scene[1]
            at_ns = arm["at_ns"]  # the picture shows the arm as it was then
            record["captured_ns"] = record["changed_ns"] = at_ns
            record["pixels"] = renderer.render(arm["scene"], int(arm["look_seed"]))[name]
            record["number"] += 1
            frames.write(record)
            picture = previews.due(record["pixels"], time.monotonic())
            if picture is not None:
                desk.mailbox.emit(picture)
        take_previews(desk, previews)
        if time.monotonic() - last_rate_s > RATE_PERIOD_S:
            last_rate_s = time.monotonic()
            desk.mailbox.emit(pacer.rate())
        pacer.wait()
