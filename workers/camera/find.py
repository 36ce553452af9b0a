"""Which cameras there are: by names that stay the same, with what each gives, a picture of it, and lines for a TOML."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workers.camera.drivers.negotiate import offered
from workers.camera.drivers.opencv import open_camera
from workers.camera.drivers.source import CameraGone, CameraUnfit, Mode, Picture, Shot, Source, Wanted
from workers.camera.previews import shrink

Echo = Callable[[str], object]
WATCH_S: Final = 0.5
_LOOK_S: Final = 1.0  # of pictures, to measure their rate
_LEAST_FRAMES: Final = 3
_BUS_BITS_S: Final = 280e6  # what cameras may reserve of a USB 2 bus: 480 Mbit/s less headers and 20 %
_MJPEG_SHARE: Final = 0.15  # of the bytes of YUYV, a table in daylight
_PREVIEW: Final = (24, 48)  # rows of half blocks times two, columns


@dataclass(frozen=True, slots=True)
class Place:
    """A camera's device file, and the names of it that survive a reboot."""

    device: str
    name: str
    by_id: str = ""  # the same wherever it is plugged in; two cameras of one model may share it
    by_path: str = ""  # the same as long as it stays in its socket

    @property
    def lasting(self) -> str:
        """What to put into a configuration."""
        return self.by_id or self.by_path or self.device

    @property
    def controller(self) -> str:
        """The USB controller it hangs on, "" where that is not known."""
        head, usb, _ = Path(self.by_path).name.partition("-usb")
        return head if usb else ""


class Places:
    """Video devices of Linux; `root` is where /dev and /sys are."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def all(self) -> list[Place]:
        """Those that give pictures: the kernel also lists a camera's metadata, as a device with a higher index."""
        by_id, by_path = self._names("by-id"), self._names("by-path")
        places = []
        for node in sorted(self._root.glob("sys/class/video4linux/video*"), key=_number):
            if _text(node / "index") not in ("0", ""):
                continue
            device = f"/dev/{node.name}"
            places.append(Place(device, _text(node / "name"), by_id.get(device, ""), by_path.get(device, "")))
        return _told_apart(places)

    def _names(self, kind: str) -> dict[str, str]:
        """/dev/videoN -> its lasting name."""
        names: dict[str, str] = {}
        for link in sorted((self._root / "dev/v4l" / kind).glob("*")):
            names.setdefault(f"/dev/{link.resolve().name}", f"/dev/v4l/{kind}/{link.name}")
        return names


def _told_apart(places: list[Place]) -> list[Place]:
    """Two cameras of one model without serial numbers have one by-id name: it is of use to neither."""
    ids = [place.by_id for place in places]
    return [
        Place(place.device, place.name, place.by_id if ids.count(place.by_id) == 1 else "", place.by_path)
        for place in places
    ]


def _number(node: Path) -> int:
    digits = node.name.removeprefix("video")
    return int(digits) if digits.isdecimal() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def watch_places(places: Places, echo: Echo, changes: int | None = None) -> None:
    """Say what is plugged in or out, for ever or until `changes` have been seen."""
    before = {place.device: place for place in places.all()}
    while changes is None or changes > 0:
        time.sleep(WATCH_S)
        now = {place.device: place for place in places.all()}
        for device in before.keys() ^ now.keys():
            place = now.get(device) or before[device]
            echo(f"{'plugged in ' if device in now else 'plugged out'}  {place.name}  {place.lasting}")
            changes = None if changes is None else changes - 1
        before = now


@dataclass(frozen=True, slots=True)
class Look:
    """What a camera gave."""

    picture: Picture
    mode: Mode
    fps: float  # measured
    offers: tuple[Mode, ...] = ()


def look_at(device: str, want: Callable[[Wanted], Source] = open_camera) -> Look:
    """Open a camera as it likes best, and measure it for a second. Raises CameraGone, CameraUnfit."""
    offers = _offers(device)
    width, height = next(((m.width, m.height) for m in offers if (m.width, m.height) == (640, 480)), (0, 0))
    if not width:
        width, height = (offers[0].width, offers[0].height) if offers else _size_of(device)
    source = want(Wanted(device, width, height, 30.0))
    try:
        shots = list(_shots(source))
    finally:
        source.close()
    if not shots:
        raise CameraGone("it was opened, and gives no pictures")
    span_s = (shots[-1].captured_ns - shots[0].captured_ns) / 1e9
    fps = (len(shots) - 1) / span_s if span_s > 0 else 0.0
    return Look(shots[-1].pixels, source.mode, fps, offers)


def _shots(source: Source) -> Iterator[Shot]:
    until_s = time.monotonic() + _LOOK_S
    count = 0
    while time.monotonic() < until_s or count < _LEAST_FRAMES:
        shot = source.shoot()
        count += 1
        if shot is not None:
            yield shot


def _offers(device: str) -> tuple[Mode, ...]:
    """What a USB camera says that it can do; nothing of a stream or a file."""
    if not device.startswith("/dev/"):
        return ()
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    try:
        return tuple(offered(capture)) if capture.isOpened() else ()
    finally:
        capture.release()


def _size_of(device: str) -> tuple[int, int]:
    """Width and height of a stream's or a file's pictures. Raises CameraGone and CameraUnfit."""
    is_address = "://" in device
    if not is_address and not Path(device).exists():
        raise CameraGone(f"there is no file {device}; an address begins with http:// or rtsp://")
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 3000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 3000]
    capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, limits)
    try:
        done, picture = capture.read() if capture.isOpened() else (False, None)
    finally:
        capture.release()
    if not done or picture is None:
        if not is_address:
            raise CameraUnfit(f"{device} is no video that FFmpeg can read")
        raise CameraGone(f"{device} does not answer: is the address right, and the camera on?")
    return picture.shape[1], picture.shape[0]


class Finder:
    """Looks at one camera after the other and tells what it finds."""

    def __init__(
        self,
        places: Places,
        folder: Path,
        echo: Echo,
        draw: bool = False,
        look: Callable[[str], Look] = look_at,
    ) -> None:
        self._places, self._folder, self._echo, self._draw, self._look = places, folder, echo, draw, look

    def run(self, also: Iterable[str] = ()) -> bool:
        """Whether any camera gave a picture. Raises OSError where none can be saved."""
        places = [*self._places.all(), *(Place(address, "network or file") for address in also)]
        if not places:
            self._echo(
                "no camera found. Is it plugged in? `--watch` says what happens when you do; "
                "`--also http://...` looks at one of the network"
            )
            return False
        found = [(place, look) for number, place in enumerate(places) if (look := self._one(number, place))]
        for advice in bandwidth_advice([(place, look.mode) for place, look in found]):
            self._echo(advice)
        return bool(found)

    def _one(self, number: int, place: Place) -> Look | None:
        self._echo(f"\n{place.device}  {place.name}" + (f"  = {place.by_path}" if place.by_path else ""))
        try:
            look = self._look(place.device)
        except (CameraGone, CameraUnfit) as error:
            self._echo(f"  {error}")
            return None
        offers = f"; offers {', '.join(map(str, look.offers))}" if look.offers else ""
        self._echo(f"  gives {look.mode}, measured {look.fps:.1f} pictures a second{offers}")
        path = self._folder / f"camera{number}.png"
        if not cv2.imwrite(str(path), look.picture[..., ::-1]):
            raise OSError(f"{path} cannot be written")
        self._echo(f"  picture: {path}")
        if self._draw:
            self._echo(half_blocks(shrink(look.picture, *_PREVIEW)))
        height, width = look.picture.shape[:2]
        self._echo(toml_lines(f"camera{number}", place.lasting, width, height, float(round(look.fps))))
        return look


def bandwidth_advice(cameras: Iterable[tuple[Place, Mode]]) -> Iterator[str]:
    """A line for each USB controller on which the cameras together want more than it can carry."""
    by_controller: dict[str, list[Mode]] = {}
    for place, mode in cameras:
        if place.controller:
            by_controller.setdefault(place.controller, []).append(mode)
    for controller, modes in by_controller.items():
        wanted = sum(_bits_s(mode) for mode in modes)
        if wanted > _BUS_BITS_S:
            yield (
                f"\n{controller}: its {len(modes)} cameras want {wanted / 1e6:.0f} Mbit/s, a USB 2 bus carries about "
                f'{_BUS_BITS_S / 1e6:.0f}. Set fourcc = "MJPG", choose smaller pictures, or move one to another socket'
            )


def _bits_s(mode: Mode) -> float:
    raw = mode.width * mode.height * 16.0 * (mode.fps or 30.0)
    return raw * _MJPEG_SHARE if mode.fourcc == "MJPG" else raw


def half_blocks(picture: Picture) -> str:
    """A picture uint8 [H, W, 3] as text: two pixels a character, upper in the foreground's colour."""
    even = picture[: picture.shape[0] // 2 * 2]
    rows = []
    for upper, lower in zip(even[0::2], even[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]};48;2;{b[0]};{b[1]};{b[2]}m▀"
            for a, b in zip(np.asarray(upper).tolist(), np.asarray(lower).tolist(), strict=True)
        )
        rows.append("  " + "".join(cells) + "\x1b[0m")
    return "\n".join(rows)


def toml_lines(name: str, device: str, width: int, height: int, fps: float) -> str:
    """The table of this camera in a configuration."""
    return (
        f"  [env.robot.cameras.{name}]\n"
        f'  type = "opencv"\n'
        f"  index_or_path = {json.dumps(device)}\n"
        f"  width = {width}\n"
        f"  height = {height}\n"
        f"  fps = {fps:g}"
    )
