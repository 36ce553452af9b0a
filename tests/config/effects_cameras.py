"""Effects of a real camera's keys: on video files, and on a capture that notes what it is asked for."""

import multiprocessing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.camera.fake_capture import FakeCapture
from tests.config.effect_tools import Effect, FakeDesk, lasting
from workers.camera.drivers.negotiate import negotiate
from workers.camera.drivers.opencv import open_camera
from workers.camera.live import wanted_of
from workers.camera.worker import main as camera_main
from workers.config import Config
from workers.robot.board import Board

CONTEXT = multiprocessing.get_context("spawn")
WIDTH, HEIGHT = 96, 64


def video(path: Path, brightness: int) -> Path:
    """A video file of ten pictures, brighter at the top."""
    file = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (WIDTH, HEIGHT))
    for number in range(10):
        picture = np.full((HEIGHT, WIDTH, 3), brightness + number, np.uint8)
        picture[: HEIGHT // 2] += 50
        file.write(picture)
    file.release()
    return path


def first_picture(config: Config, folder: Path) -> Any:
    video(folder / "dark.avi", 20)
    video(folder / "light.avi", 150)
    source = open_camera(wanted_of(config.env.cameras["front"]))
    shot = source.shoot()
    source.close()
    assert shot is not None
    return [shot.pixels.shape, *(int(shot.pixels[y, x, 0]) // 10 for y, x in ((8, 8), (8, -8), (-8, 8)))]


def asked(config: Config, folder: Path) -> Any:
    """What a USB camera is asked for."""
    capture = FakeCapture()
    negotiate(capture, wanted_of(config.env.cameras["front"]))
    return capture.asked


def published(config: Config, folder: Path) -> bool:
    """Whether a camera shows something while there is no simulated table."""
    video(folder / "dark.avi", 20)
    board = Board.create(CONTEXT, {"front": (HEIGHT, WIDTH)})
    camera_main(FakeDesk([], lasting(2.0)), config, "front", board)  # type: ignore[arg-type]
    return board.frames["front"].read() is not None


def a_camera(device: str = "{folder}/dark.avi") -> dict[str, Any]:
    front = "env.robot.cameras.front"
    size = {f"{front}.width": WIDTH, f"{front}.height": HEIGHT}
    return {f"{front}.type": "opencv", f"{front}.index_or_path": device, f"{front}.fps": 30.0, **size}


USB = {**a_camera("/dev/video0"), "env.robot.cameras.front.width": 640, "env.robot.cameras.front.height": 480}
EFFECTS = {
    "env.robot.cameras.<name>.type": Effect(("sim", "opencv"), published, a_camera()),
    "env.robot.cameras.<name>.index_or_path": Effect(
        ("{folder}/dark.avi", "{folder}/light.avi"), first_picture, a_camera()
    ),
    "env.robot.cameras.<name>.fourcc": Effect(("MJPG", "YUYV"), asked, USB),
    "env.robot.cameras.<name>.rotation": Effect((0, 180), first_picture, a_camera()),
}
