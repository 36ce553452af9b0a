"""[env]: the task, its rate, the arm, the cameras and the processors."""

from typing import Annotated, Literal

import msgspec

from workers.config.cameras import CameraConfig
from workers.config.processor import ProcessorConfig
from workers.config.robot import RobotConfig
from workers.config.values import Problems, Section

CameraName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$",
        description="a letter, then up to 31 letters, digits or '_' (no dots)",
    ),
]
IMAGE_PREFIX = "observation.images."


class EnvConfig(Section, frozen=True, kw_only=True):
    task: Literal["pick_lift"] = "pick_lift"
    """What is to be done: `pick_lift` lifts the cube above 6 cm."""
    fps: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)] = 10.0
    """Steps per second: the rate at which policy or person decide."""
    robot: RobotConfig
    """The arm."""
    cameras: Annotated[dict[CameraName, CameraConfig], msgspec.Meta(min_length=1)]
    """The cameras, one table each."""
    processor: ProcessorConfig
    """The way from readings to observation and from action to joint goal."""

    def problems(self) -> Problems:
        if self.robot.loop_hz < 2 * self.fps:
            yield ("robot", "loop_hz"), f"{self.robot.loop_hz:g} is less than twice env.fps ({self.fps:g})"
        if self.processor.reset.control_time_s * self.fps < 1:
            yield ("processor", "reset", "control_time_s"), "shorter than one step of env.fps"
        for name, camera in self.cameras.items():
            if camera.fps < self.fps:
                text = f"{camera.fps:g} is below env.fps ({self.fps:g}): pictures would repeat"
                yield ("cameras", name, "fps"), text
        yield from self._crop_problems()

    def _crop_problems(self) -> Problems:
        for key, (top, left, height, width) in self.processor.image_preprocessing.crop_params_dict.items():
            at = ("processor", "image_preprocessing", "crop_params_dict", key)
            name = key.removeprefix(IMAGE_PREFIX)
            camera = self.cameras.get(name) if name != key else None
            if camera is None:
                valid = ", ".join(f'"{IMAGE_PREFIX}{name}"' for name in self.cameras)
                yield at, f"no such camera; valid keys here: {valid}"
            elif top + height > camera.height or left + width > camera.width:
                reached = f"reaches row {top + height} and column {left + width}"
                there = f"the camera has {camera.height} rows and {camera.width} columns"
                yield at, f"[top, left, height, width] {reached}, but {there}"
