"""[env.robot.cameras.<name>]: one table a camera; its pictures become `observation.images.<name>`."""

from typing import Annotated, Literal, get_args

import msgspec

from workers.config.values import Section

View = Literal["front", "side", "wrist"]
VIEWS: tuple[View, ...] = get_args(View)
Pixels = Annotated[int, msgspec.Meta(ge=32, le=4096)]
CameraName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$",
        description="a letter, then up to 31 letters, digits or '_' (no dots)",
    ),
]


class CameraConfig(Section, frozen=True, kw_only=True):
    type: Literal["sim"]
    """Kind of camera: `sim` renders a view of the simulated table."""
    view: View | None = None
    """The simulator's view; without it, the one that bears the camera's own name."""
    width: Pixels = 128
    """Picture width in pixels."""
    height: Pixels = 128
    """Picture height in pixels."""
    fps: Annotated[float, msgspec.Meta(gt=0.0, le=240.0)] = 30.0
    """Pictures per second; at least the rate of the environment."""
