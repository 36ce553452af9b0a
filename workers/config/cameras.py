"""[env.cameras.<name>]: one table a camera; its pictures become `observation.images.<name>`."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Section

Pixels = Annotated[int, msgspec.Meta(ge=32, le=4096)]


class CameraConfig(Section, frozen=True, kw_only=True):
    type: Literal["sim"]
    """Kind of camera: `sim` renders the view of the simulator's camera of the same name."""
    width: Pixels = 128
    """Picture width in pixels."""
    height: Pixels = 128
    """Picture height in pixels."""
    fps: Annotated[float, msgspec.Meta(gt=0.0, le=240.0)] = 30.0
    """Pictures per second; at least the rate of the environment."""
