"""[env.robot.cameras.<name>]: one table a camera; its pictures become `observation.images.<name>`."""

from typing import Annotated, Literal, get_args

import msgspec

from workers.config.values import Problems, Section

View = Literal["front", "side", "wrist"]
VIEWS: tuple[View, ...] = get_args(View)
Pixels = Annotated[int, msgspec.Meta(ge=32, le=4096)]
CameraIndex = Annotated[int, msgspec.Meta(ge=0, le=255)]
CameraPath = Annotated[str, msgspec.Meta(min_length=1)]
CameraName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$",
        description="a letter, then up to 31 letters, digits or '_' (no dots)",
    ),
]


FourCC = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Za-z0-9]{4}$", description='four letters or digits, such as "MJPG" or "YUYV"'),
]
Rotation = Literal[0, 90, 180, 270, -90]
SIM_SIZE = (128, 128)
"""Width and height where the file says nothing."""


class CameraConfig(Section, frozen=True, kw_only=True):
    type: Literal["sim", "opencv"]
    """Kind of camera: `sim` renders a view of the simulated table, `opencv` is a real one: a USB camera, a stream of
    the network, a video file."""
    view: View | None = None
    """The simulator's view; without it, the one that bears the camera's own name."""
    index_or_path: CameraIndex | CameraPath | None = None
    """Which real camera: "/dev/v4l/by-id/..." or "/dev/v4l/by-path/..." (they stay the same after a reboot), a number
    or "/dev/video0" (they may not), "http://..." (MJPEG), "rtsp://...", or a video file, which is played at `fps` again
    and again. `hilserl-worker find-cameras` prints what there is."""
    width: Pixels = 128
    """Picture width in pixels, after any rotation; a real camera needs its own, such as 640."""
    height: Pixels = 128
    """Picture height in pixels, after any rotation; a real camera needs its own, such as 480."""
    fps: Annotated[float, msgspec.Meta(gt=0.0, le=240.0)] = 30.0
    """Pictures per second; at least the rate of the environment. A real camera is asked for it, and measured."""
    fourcc: FourCC | None = None
    """How a USB camera is to send its pictures; without it MJPG is tried first, then YUYV."""
    rotation: Rotation = 0
    """Degrees by which a real camera's pictures are turned clockwise, for one mounted on its side; -90 is 270."""

    def problems(self) -> Problems:
        if self.type == "sim":
            given = {
                "index_or_path": self.index_or_path is not None,
                "fourcc": self.fourcc is not None,
                "rotation": self.rotation != 0,
            }
            for key in (key for key, there in given.items() if there):
                yield (key,), 'does nothing for a camera of type = "sim"; remove this key'
            return
        if self.view is not None:
            yield ("view",), 'does nothing for a camera of type = "opencv"; remove this key'
        if self.index_or_path is None:
            text = "missing; a real camera needs it: `hilserl-worker find-cameras` prints what there is"
            yield ("index_or_path",), text
        if (self.width, self.height) == SIM_SIZE:
            text = "a real camera needs its own width and height, such as 640 and 480; 128x128 is the simulator's"
            yield ("width",), text
