"""Effects of a real camera's keys: a video file stands in for what is plugged in."""

import multiprocessing
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.camera.test_negotiate import MJPG, YUYV, FakeCapture
from tests.config.effect_tools import Effect, FakeDesk
from workers.camera.drivers.negotiate import negotiate
from workers.camera.live import wanted_of
from workers.camera.worker import main
from workers.config import Config
from workers.robot.board import Board

CAMERA = "env.robot.cameras.<name>"
FRONT = "env.robot.cameras.front"
LOOK_S = {"opencv": 30.0, "sim": 1.0}


def published(config: Config, folder: Path) -> Any:
    """What the camera worker puts on the board: roughly the means of the picture's four corners."""
    for number, shade in enumerate((60, 200)):
        _film(folder / f"{number}.avi", shade)
    camera = config.env.cameras["front"]
    board = Board.create(multiprocessing.get_context("spawn"), {"front": (camera.height, camera.width)})
    end_s = time.monotonic() + LOOK_S[camera.type]

    def going() -> bool:
        return board.frames["front"].read() is None and time.monotonic() < end_s

    main(FakeDesk([], going), config, "front", board)  # type: ignore[arg-type]
    read = board.frames["front"].read()
    if read is None:
        return "nothing: the simulator has no arm to show"
    pixels = read[1]["pixels"]
    corners = (pixels[:20, :20], pixels[:20, -20:], pixels[-20:, :20], pixels[-20:, -20:])
    return [round(float(corner.mean()) / 20) for corner in corners]


def negotiated(config: Config, folder: Path) -> str:
    """The format that a camera with two of them is brought to."""
    return negotiate(FakeCapture({"YUYV": YUYV, "MJPG": MJPG}), wanted_of(config.env.cameras["front"])).fourcc


def _film(path: Path, shade: int) -> None:
    """Two dark corners and two of this shade, above and to the left."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:60] = shade
    picture[:, :80] = np.maximum(picture[:, :80], shade // 2)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (160, 120))
    for _ in range(3):
        writer.write(picture)
    writer.release()


FILM: dict[str, Any] = {
    "env.robot.cameras": {"front": {"type": "opencv", "width": 160, "height": 120, "fps": 25.0}},
    f"{FRONT}.index_or_path": "{folder}/0.avi",
}
USB: dict[str, Any] = {
    "env.robot.cameras": {"front": {"type": "opencv", "width": 640, "height": 480, "fps": 30.0}},
    f"{FRONT}.index_or_path": "/dev/video0",
}
EFFECTS: dict[str, Effect] = {
    f"{CAMERA}.type": Effect(("opencv", "sim"), published, FILM),
    f"{CAMERA}.index_or_path": Effect(("{folder}/0.avi", "{folder}/1.avi"), published, FILM),
    f"{CAMERA}.rotation": Effect((0, 180), published, FILM),
    f"{CAMERA}.fourcc": Effect(("MJPG", "YUYV"), negotiated, USB),
}
