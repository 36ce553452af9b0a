"""Mapping: which bytes of a gamepad's reports are its sticks, triggers and buttons; one TOML file for a family of pads.

A stick's axis is -1 (left, down) to 1 (right, up), everything else 0 (free) to 1 (pressed).
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

Stick = Literal["left_x", "left_y", "right_x", "right_y"]
Button = Literal[
    "left_trigger", "right_trigger", "left_bumper", "right_bumper",
    "north", "south", "west", "east", "back", "start",
]  # fmt: skip
STICKS: tuple[Stick, ...] = get_args(Stick)
BUTTONS: tuple[Button, ...] = get_args(Button)
PRESSED = 0.5  # of a trigger's way
Values = dict[str, float]
"""Position of every control, by name."""
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


class MappingError(Exception):
    """A mapping cannot be used; the text is for the operator."""


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a mapping file."""


class Field(Strict, frozen=True):
    """A control's place in a report: a number between `low` and `high`, or the bits of `mask`."""

    byte: Byte
    mask: Byte = 0
    """The button is pressed while one of these bits is set; 0: the field is a number."""
    bits: Literal[8, 16] = 8
    """Size of a number; the lower byte comes first."""
    signed: bool = False
    low: int = 0
    """The number at -1 of a stick, at 0 of a trigger."""
    high: int = 255

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.byte + (1 if self.mask else self.bits // 8)

    def share(self, report: bytes, shift: int) -> float:
        """Where the control is between `low` (0) and `high` (1)."""
        at = self.byte + shift
        if self.mask:
            return float(bool(report[at] & self.mask))
        raw = int.from_bytes(report[at : at + self.bits // 8], "little", signed=self.signed)
        return min(1.0, max(0.0, (raw - self.low) / (self.high - self.low)))


class Report(Strict, frozen=True):
    """A kind of report that tells of all controls; the first that fits is read."""

    layout: str
    id: Byte | None = None
    """The report's first byte; None of pads whose reports have no number."""
    length: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1
    """Bytes that the report has at least."""
    shift: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    """By how many bytes the controls lie further back than the layout says."""


class Pad(Strict, frozen=True):
    """A product that these reports come from."""

    vendor: int
    product: int


Axis = Annotated[str, msgspec.Meta(pattern=r"^-?(left|right)_[xy]$")]


class Use(Strict, frozen=True):
    """What each control is for; the ready ones are those of LeRobot's tutorial. A minus turns a stick round."""

    forward: Axis = "left_y"
    left: Axis = "-left_x"
    up: Axis = "right_y"
    intervene: Button = "right_bumper"
    close: Button = "left_trigger"
    open: Button = "right_trigger"
    success: Button = "north"
    failure: Button = "south"
    rerecord: Button = "west"


class PadMapping(Strict, frozen=True):
    """A whole file."""

    name: str
    source: str
    """Where the layout is from."""
    pads: tuple[Pad, ...]
    reports: tuple[Report, ...]
    layouts: dict[str, dict[Stick | Button, Field]]
    use: Use = Use()
    usb: bool = False
    """The pad is no HID device: hidapi reaches it through libusb only."""
    streams: bool = False
    """It sends reports whether or not anything changed: silence means that it is gone."""
    wake: tuple[Byte, ...] = ()
    """What must be written to it before it sends anything."""

    def values(self, report: bytes) -> Values | None:
        """Where the controls are, None of a report that does not tell."""
        for kind in self.reports:
            if len(report) >= kind.length and (kind.id is None or report[0] == kind.id):
                layout = self.layouts[kind.layout]
                return {
                    name: 2.0 * field.share(report, kind.shift) - 1.0
                    if name in STICKS
                    else field.share(report, kind.shift)
                    for name, field in layout.items()
                }
        return None

    def fits(self, vendor: int, product: int) -> bool:
        return Pad(vendor=vendor, product=product) in self.pads

    def problems(self) -> Iterator[str]:
        """What is wrong with it."""
        for report in self.reports:
            layout = self.layouts.get(report.layout)
            if layout is None:
                yield f'a report names the layout "{report.layout}", which the file does not have'
                continue
            missing = [name for name in self._used() if name not in layout]
            if missing:
                yield f"layouts.{report.layout} lacks {', '.join(missing)}"
            for name, field in layout.items():
                if field.end + report.shift > report.length:
                    yield f"layouts.{report.layout}.{name} lies behind the end of a report of {report.length} bytes"
                if not field.mask and field.low == field.high:
                    yield f"layouts.{report.layout}.{name}: low and high are the same"

    def _used(self) -> Iterator[str]:
        for name in Use.__struct_fields__:
            yield getattr(self.use, name).removeprefix("-")


def parse(text: str, path: str) -> PadMapping:
    """The mapping in a TOML text; `path` is what errors call it. Raises MappingError."""
    try:
        found = msgspec.convert(tomllib.loads(text), PadMapping)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingError(f"{path} is no gamepad mapping: {error}") from error
    if wrong := "; ".join(found.problems()):
        raise MappingError(f"{path} is no gamepad mapping: {wrong}")
    return found


def mappings_dir() -> Path:
    """Folder of the user's own mappings; they go before those that come along."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "hilserl" / "gamepads"


def known() -> dict[str, PadMapping]:
    """Every mapping by name: the user's own first, then those that come along. Raises MappingError."""
    found: dict[str, PadMapping] = {}
    folder = mappings_dir()
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        found[path.stem] = load(path)
    return found | {name: one for name, one in bundled().items() if name not in found}


def bundled() -> Mapping[str, PadMapping]:
    """The mappings that come along, by name."""
    return {
        entry.name.removesuffix(".toml"): parse(entry.read_text("utf-8"), entry.name)
        for entry in sorted(files("workers.teleop").joinpath("mappings").iterdir(), key=lambda one: one.name)
        if entry.name.endswith(".toml")
    }


def load(path: Path) -> PadMapping:
    """The mapping in a file. Raises MappingError."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read: {error}") from error


def named(wanted: str) -> PadMapping:
    """The mapping that a configuration names: of that name, or in that file. Raises MappingError."""
    if wanted.endswith(".toml"):
        return load(Path(wanted).expanduser())
    mappings = known()
    if wanted not in mappings:
        raise MappingError(f'env.teleop.mapping: there is no "{wanted}"; there are {", ".join(mappings)}')
    return mappings[wanted]
