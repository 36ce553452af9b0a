"""A video file as a camera, for tests."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

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


def a_camera(device: str) -> dict[str, Any]:
    """Keys of a configuration whose camera `front` is real."""
    front = "env.robot.cameras.front"
    size = {f"{front}.width": WIDTH, f"{front}.height": HEIGHT}
    return {f"{front}.type": "opencv", f"{front}.index_or_path": device, f"{front}.fps": 30.0, **size}
