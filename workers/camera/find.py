"""find-cameras: what cameras there are, what they give, how they look, and the lines that a configuration needs."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.camera.drivers.source import RATE_TOLERANCE, CameraGone, CameraUnfit, Mode, Picture
from workers.camera.places import Place, Places
from workers.camera.previews import shrink
from workers.config.dump import toml

SHOWN_WIDTH, SHOWN_HEIGHT = 64, 48
BUS_MBIT_S: Final = 280.0  # what isochronous transfers get of USB 2's 480
JPEG_SHARE: Final = 0.1  # of the raw size, for ordinary pictures
NONE_HELP: Final = (
    "No camera was found. Is it plugged in? `hilserl-worker find-cameras --watch` says what comes and goes. In a"
    " virtual machine or a container the device must be passed through. A camera of the network is looked at with"
    " --also http://...; without any, `hilserl-worker emulate-camera` is one."
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a camera found."""

    name: str  # "cam0": for its picture and its table
    device: str
    mode: Mode | None = None
    picture: Picture | None = None
    offers: tuple[Mode, ...] = ()
    trouble: str = ""


class Finder:
    """Looks at each camera in turn and says what it finds; pictures go to `folder`."""

    def __init__(self, places: Places, folder: Path, say: Callable[[str], None], draw: bool) -> None:
        self._places, self._folder, self._say, self._draw = places, folder, say, draw

    def run(self, also: Iterable[str]) -> bool:
        """Whether any camera gave a picture. `also`: addresses and files."""
        found = self._places.found()
        names = [f"cam{number}" for number in range(100)]
        looks = []
        for name, place in zip(names, found, strict=False):
            self._say(f"\n{name}: {place.product or 'camera'} at {place.device}")
            for link in filter(None, (place.by_id, place.by_path)):
                self._say(f"  {link}")
            looks.append(self._look(name, place.lasting))
        for name, device in zip(names[len(found) :], also, strict=False):
            self._say(f"\n{name}: {device}")
            looks.append(self._look(name, device))
        if not looks:
            self._say(NONE_HELP)
        self._advise(found, looks)
        self._summarise(looks)
        return any(look.picture is not None for look in looks)

    def _look(self, name: str, device: str) -> Look:
        self._say("  looking ...")
        look = look_at(name, device)
        if look.picture is None:
            self._say(f"  {look.trouble}")
            return look
        self._say(f"  gives {look.mode}")
        if look.offers:
            self._say(f"  offers {', '.join(map(str, look.offers))}")
        path = self._folder / f"{name}.png"
        save_png(path, look.picture)
        self._say(f"  its picture is in {path}")
        if self._draw:
            self._say(half_blocks(shrink(look.picture, SHOWN_HEIGHT, SHOWN_WIDTH)))
        return look

    def _advise(self, found: list[Place], looks: list[Look]) -> None:
        shared: dict[str, list[Mode]] = defaultdict(list)
        for place, look in zip(found, looks, strict=False):
            if place.controller and look.mode is not None:
                shared[place.controller].append(look.mode)
        for controller, modes in shared.items():
            self._say(f"\n{bandwidth(controller, modes)}")

    def _summarise(self, looks: list[Look]) -> None:
        good = [look for look in looks if look.picture is not None and look.mode is not None]
        if good:
            self._say("\nFor your TOML, with names of your own for cam0, cam1 ...:\n")
        for look in good:
            assert look.picture is not None and look.mode is not None
            height, width = look.picture.shape[:2]
            self._say(toml_lines(look.name, look.device, width, height, nominal(look.mode.fps)))


def look_at(name: str, device: str) -> Look:
    """What a camera gives, its rate measured, and a picture."""
    from workers.camera.drivers.probe import probe

    try:
        probed = probe(device)
    except (CameraGone, CameraUnfit) as trouble:
        return Look(name, device, trouble=str(trouble))
    return Look(name, device, probed.mode, probed.picture, probed.offers)


def save_png(path: Path, picture: Picture) -> None:
    import cv2

    cv2.imwrite(str(path), picture[..., ::-1])


def half_blocks(small: Picture) -> str:
    """A picture uint8 [H, W, 3] for a terminal with colours, two rows a line."""
    lines = []
    for y in range(0, small.shape[0] - 1, 2):
        cells = (
            "\x1b[38;2;{};{};{};48;2;{};{};{}m▀".format(*upper, *lower)
            for upper, lower in zip(small[y].tolist(), small[y + 1].tolist(), strict=True)
        )
        lines.append("  " + "".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def nominal(fps: float) -> float:
    """The rate that a measured one is meant to be: 29.8 is 30."""
    usual = min((5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0), key=lambda rate: abs(rate - fps))
    return usual if abs(fps / usual - 1.0) <= RATE_TOLERANCE else round(fps, 1)


def mbit_s(mode: Mode) -> float:
    """What a mode takes of a bus: YUYV has two bytes a pixel, a JPEG about a tenth of three."""
    rate = mode.fps or 30.0
    per_pixel = 3.0 * JPEG_SHARE if mode.fourcc in ("MJPG", "JPEG") else 2.0
    return mode.width * mode.height * per_pixel * rate * 8 / 1e6


def bandwidth(controller: str, modes: list[Mode]) -> str:
    """An estimate for the cameras of one USB controller, and what to do where it is too much."""
    total = sum(map(mbit_s, modes))
    cameras = f"{len(modes)} camera{'s' * (len(modes) > 1)}"
    text = f"USB controller {controller}: {cameras}, about {total:.0f} of {BUS_MBIT_S:.0f} Mbit/s (of USB 2)"
    if total <= BUS_MBIT_S:
        return text
    if any(mode.fourcc not in ("MJPG", "JPEG") for mode in modes):
        return (
            f'{text}: too much. Set fourcc = "MJPG" for each, a tenth of the bandwidth; else smaller pictures'
        )
    return f"{text}: too much. Take smaller pictures or a lower fps, or plug one into another controller"


def toml_lines(name: str, device: str, width: int, height: int, fps: float) -> str:
    """The table of a camera, to paste."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return (
        f'[env.robot.cameras.{safe}]\ntype = "opencv"\nindex_or_path = {toml(device)}\n'
        f"width = {width}\nheight = {height}\nfps = {fps:g}\n"
    )
