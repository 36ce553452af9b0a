"""Where Linux keeps its cameras: device files, the names that last, the USB controllers they share."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOK_PERIOD_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A camera as the system knows it."""

    device: str  # "/dev/video0"
    product: str  # what the camera calls itself, "" where it does not
    by_id: str  # "/dev/v4l/by-id/...", "" where two cameras have one name, or none
    by_path: str  # "/dev/v4l/by-path/..." : the socket it is plugged into
    controller: str  # USB controller it shares with others, "" of other cameras

    @property
    def lasting(self) -> str:
        """The best name for a configuration: of the camera, else of its socket, else its number of today."""
        return self.by_id or self.by_path or self.device


class Places:
    """Looks below `root`, which tests have of their own."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def found(self) -> list[Place]:
        """Every camera that can take pictures, by number; a camera's second device, of its metadata, is none."""
        by_id, by_path = self._links("by-id"), self._links("by-path")
        devices = sorted((self._root / "dev").glob("video[0-9]*"), key=lambda path: int(path.name[5:]))
        return [
            Place(
                f"/dev/{device.name}",
                self._read(device.name, "name"),
                by_id.get(device.name, ""),
                by_path.get(device.name, ""),
                self._controller(device.name),
            )
            for device in devices
            if self._read(device.name, "index") in ("", "0")
        ]

    def _links(self, kind: str) -> Mapping[str, str]:
        folder = self._root / "dev/v4l" / kind
        links = sorted(folder.iterdir()) if folder.is_dir() else []
        return {
            Path(os.readlink(link)).name: f"/dev/v4l/{kind}/{link.name}"
            for link in links
            if link.is_symlink()
        }

    def _read(self, device: str, what: str) -> str:
        try:
            return (self._root / "sys/class/video4linux" / device / what).read_text().strip()
        except OSError:
            return ""

    def _controller(self, device: str) -> str:
        """The `usb<n>` that the device hangs on: cameras with the same one share its bandwidth."""
        place = self._root / "sys/class/video4linux" / device / "device"
        bus = re.search(r"/(usb\d+)(/|$)", str(place.resolve())) if place.exists() else None
        return bus[1] if bus else ""


def changes(before: list[Place], now: list[Place]) -> list[str]:
    """What was plugged in or out, in words."""
    gone = [
        f"- gone: {place.lasting} ({place.product or place.device})" for place in before if place not in now
    ]
    come = [
        f"+ new: {place.lasting} ({place.product or place.device})" for place in now if place not in before
    ]
    return gone + come


def watch_places(
    places: Places, say: Callable[[str], None], going: Callable[[], bool] = lambda: True
) -> None:
    """Say what is plugged in and out, while `going`."""
    before = places.found()
    for place in before:
        say(f"  there: {place.lasting} ({place.product or place.device})")
    while going():
        time.sleep(LOOK_PERIOD_S)
        now = places.found()
        for line in changes(before, now):
            say(line)
        before = now
