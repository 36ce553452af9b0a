"""The search for a gamepad, and reading it, through hidapi.

On Linux hidapi has two ways to a device: the kernel's hidraw, by cable and Bluetooth, and libusb, by cable only. The
wheel brings both, as `hidraw` and `hid`. Pads are read by hidraw; those of Xbox by cable are no HID devices, and only
libusb has them. Elsewhere `hid` is all there is.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from workers.teleop.gamepad.mapping import PadMapping

REPORT_BYTES = 128  # the longest that is read: DualSense by Bluetooth sends 78
REPORTS_AT_ONCE = 64
_GENERIC_DESKTOP, _JOYSTICK, _GAMEPAD = 0x01, 0x04, 0x05  # usages of the HID tables
RULES = "/etc/udev/rules.d/70-hilserl-gamepad.rules"


class PadGone(Exception):
    """The pad cannot be read any more: unplugged, out of battery or of reach."""


class PadRefused(Exception):
    """A pad is there and cannot be used; the text says why and what to do, `short` the same in 64 bytes."""

    def __init__(self, text: str, short: str) -> None:
        super().__init__(text)
        self.short = short


class Device(Protocol):
    """hidapi's device, as far as it is used."""

    def open_path(self, path: bytes) -> None: ...
    def set_nonblocking(self, on: int) -> int: ...
    def read(self, max_length: int) -> list[int]: ...
    def write(self, data: Sequence[int]) -> int: ...
    def close(self) -> None: ...


class Hidapi(Protocol):
    """The module `hid` or `hidraw`; tests bring their own."""

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[dict[str, Any]]: ...
    def device(self) -> Device: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A gamepad that is plugged in."""

    vendor: int
    product: int
    name: str
    serial: str
    path: bytes
    backend: Hidapi
    mapping: PadMapping | None  # None of an unknown pad

    @property
    def label(self) -> str:
        """What the operator calls it: its name and ids."""
        return f"{self.name or 'gamepad'} ({self.ids})"

    @property
    def ids(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"


class Pad:
    """An open gamepad. Raises PadRefused where it cannot be opened.

    Args:
        wake: what must be written to it before it sends anything.
    """

    def __init__(self, found: Found, wake: Sequence[int] = ()) -> None:
        self.found = found
        self._device = found.backend.device()
        try:
            self._device.open_path(found.path)
            self._device.set_nonblocking(1)
            if wake:
                self._device.write(wake)
        except OSError as error:
            self.close()
            raise _refused(found) from error

    def reports(self) -> list[bytes]:
        """Every report since the last call, oldest first. Raises PadGone."""
        reports: list[bytes] = []
        try:
            while len(reports) < REPORTS_AT_ONCE and (report := self._device.read(REPORT_BYTES)):
                reports.append(bytes(report))
        except (OSError, ValueError) as error:  # hidapi says ValueError of a device that closed itself
            raise PadGone(f"{self.found.label} is gone") from error
        return reports

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(OSError):
            self._device.close()


def backends() -> tuple[Hidapi, Hidapi | None]:
    """hidapi for HID devices, and where it is another, the one that has Xbox pads by cable."""
    import hid

    usb: ModuleType = hid
    if sys.platform == "linux":
        with contextlib.suppress(ImportError):
            import hidraw

            return hidraw, usb
    return usb, None


def search(mappings: Mapping[str, PadMapping], modules: tuple[Hidapi, Hidapi | None]) -> list[Found]:
    """Every gamepad that is plugged in, known ones first."""
    main, usb = modules
    found = [one for entry in main.enumerate() if (one := _recognised(entry, main, mappings)) is not None]
    if usb is not None:
        found += _by_usb(mappings, usb)
    return sorted(found, key=lambda one: one.mapping is None)


def chosen(found: Sequence[Found], wanted: str | None) -> Found | None:
    """The one that `env.teleop.device` names by "vendor:product" or serial number; the first without it."""
    for one in found:
        if wanted is None or wanted.lower() == one.ids or wanted == one.serial:
            return one
    return None


def _by_usb(mappings: Mapping[str, PadMapping], usb: Hidapi) -> Iterator[Found]:
    for mapping in mappings.values():
        for pad in mapping.pads if mapping.usb else ():
            for entry in usb.enumerate(pad.vendor, pad.product):
                yield _entry(entry, usb, mapping)


def _recognised(entry: dict[str, Any], module: Hidapi, mappings: Mapping[str, PadMapping]) -> Found | None:
    """A device that a mapping knows, or that calls itself a gamepad; None of keyboards and the like."""
    mapping = next(
        (one for one in mappings.values() if one.fits(entry["vendor_id"], entry["product_id"])), None
    )
    page, usage = entry.get("usage_page", 0), entry.get("usage", 0)
    pad = page == _GENERIC_DESKTOP and usage in (_JOYSTICK, _GAMEPAD)
    if not pad and (mapping is None or page):  # a pad's headset or keys, which it has beside itself
        return None
    return _entry(entry, module, mapping)


def _entry(entry: dict[str, Any], module: Hidapi, mapping: PadMapping | None) -> Found:
    return Found(
        entry["vendor_id"],
        entry["product_id"],
        entry.get("product_string") or "",
        entry.get("serial_number") or "",
        entry["path"],
        module,
        mapping,
    )


def _refused(found: Found) -> PadRefused:
    """Why a pad that is plugged in cannot be opened: nearly always, nobody allowed it."""
    path = found.path.decode(errors="replace")
    hidraw = path.startswith("/dev/")
    if hidraw and os.access(path, os.R_OK | os.W_OK):
        text = f"{found.label} cannot be opened; does another program use it?"
        return PadRefused(text, f"{found.ids} cannot be opened: in use?")
    rules = " and ".join(udev_rules(found.vendor, found.product))
    return PadRefused(
        f"{found.label}: no permission to open {path if hidraw else 'its USB device'}. Allow it once, as root: put"
        f" the lines {rules} into {RULES}, then `udevadm control --reload && udevadm trigger`, and plug the pad in"
        " again",
        f"no permission for {found.ids}: the log has the udev rule",
    )


def udev_rules(vendor: int, product: int) -> tuple[str, str]:
    """The lines that let everybody use a pad by cable (hidraw and libusb) and by Bluetooth.

    Everybody, since a person at a terminal over SSH has no seat, which a narrower `uaccess` would ask for.
    """
    return (
        f'ATTRS{{idVendor}}=="{vendor:04x}", ATTRS{{idProduct}}=="{product:04x}", MODE="0666"',
        f'KERNEL=="hidraw*", KERNELS=="*{vendor:04X}:{product:04X}*", MODE="0666"',
    )
