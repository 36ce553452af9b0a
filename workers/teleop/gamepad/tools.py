"""The tools for gamepads in a terminal: the mapping wizard, and a live view of what a pad says."""

import contextlib
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from workers.teleop.gamepad.controls import Controls
from workers.teleop.gamepad.mapping import (
    PRESSED,
    STICKS,
    MappingError,
    PadMapping,
    Values,
    known,
    named,
)
from workers.teleop.gamepad.pads import (
    Found,
    Hidapi,
    Pad,
    PadGone,
    PadRefused,
    backends,
    chosen,
    search,
)
from workers.teleop.gamepad.wizard import ASKS, Wizard
from workers.teleop.gamepad.write import keep

READ_S = 0.01
DRAW_S = 0.1
BAR = 10  # characters for each half of a stick's way
Modules = tuple[Hidapi, Hidapi | None]
Tell = Callable[[str], None]
Keys = Callable[[float], str]
"""Waits so many seconds for a key, "" of none."""


class ToolRefused(Exception):
    """The tool cannot go on; the text says why and what to do."""


@contextlib.contextmanager
def opened(device: str | None, modules: Modules | None = None) -> Iterator[Pad]:
    """The gamepad that is plugged in. Raises ToolRefused."""
    try:
        mappings = known()
        there = search(mappings, modules or backends())
        found = chosen(there, device)
        if found is None:
            raise ToolRefused(_none(there, device))
        pad = Pad(found, found.mapping.wake if found.mapping else ())
    except (MappingError, PadRefused, ImportError) as error:
        raise ToolRefused(str(error)) from error
    try:
        yield pad
    except PadGone as gone:
        raise ToolRefused(f"{gone}: plug it in again, and begin anew") from gone
    finally:
        pad.close()


def map_gamepad(pad: Pad, keys: Keys, tell: Tell, clock: Callable[[], float] = time.monotonic) -> Path:
    """Ask for one control after another and write the mapping; the file that holds it. Raises ToolRefused, PadGone."""
    wizard, asked = Wizard(clock()), ""
    of = len(ASKS)
    tell(f"{pad.found.label}: {of} controls, about a minute. Keys: s skips a control, q leaves.")
    while wizard.done < of:
        for report in pad.reports():
            wizard.hear(report, clock())
        wizard.tick(clock())
        prompt = f"{wizard.done + 1:2d}/{of}  {wizard.prompt(clock())}"
        if prompt != asked and wizard.done < of:
            tell(prompt)
            asked = prompt
        match keys(READ_S):
            case "s":
                wizard.skip(clock())
            case "q" | "\x03":
                raise ToolRefused("left; nothing was written")
    learned = wizard.mapping(pad.found.vendor, pad.found.product, pad.found.name)
    if missing := "; ".join(learned.problems()):
        raise ToolRefused(f"nothing was written: {missing}, and the arm cannot be driven without")
    try:
        return keep(learned)
    except MappingError as error:
        raise ToolRefused(str(error)) from error


def show_gamepad(
    pad: Pad,
    mapping: PadMapping | None,
    keys: Keys,
    draw: Tell,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Draw what the pad says ten times a second until `q`. Raises PadGone."""
    controls = None if mapping is None else Controls(mapping.use, 0.1, hold=True)
    values: Values = {}
    last, count, since_s, drawn_s = b"", 0, clock(), 0.0
    while keys(READ_S) not in ("q", "\x03"):
        for report in pad.reports():
            last, count = report, count + 1
            heard = None if mapping is None else mapping.values(report)
            if heard is not None and controls is not None:
                values = heard
                controls.hear(heard)
        if clock() - drawn_s >= DRAW_S:
            drawn_s = clock()
            rate = count / max(clock() - since_s, READ_S)
            draw(view(pad.found, mapping, controls, values, last, rate))


def view(
    found: Found,
    mapping: PadMapping | None,
    controls: Controls | None,
    values: Values,
    report: bytes,
    rate_hz: float,
) -> str:
    """One picture of a pad."""
    lines = [f"{found.label}, {rate_hz:.0f} reports/s   q leaves"]
    if mapping is None or controls is None:
        lines.append("no mapping: `hilserl-worker map-gamepad` makes one. Its newest report:")
    else:
        lines.append(f"read as {mapping.name}")
        lines += [f"{name:>8} {bar(values.get(name, 0.0))} {values.get(name, 0.0):+.2f}" for name in STICKS]
        pressed = [name for name, value in values.items() if name not in STICKS and value > PRESSED]
        lines.append(f" pressed {', '.join(pressed) or '-'}")
        grip = controls.grip()
        forward, left, up = grip.motion.tolist()
        moves = f"forward {forward:+.2f}, left {left:+.2f}, up {up:+.2f}, gripper {grip.gripper:+.0f}"
        held = mapping.use.intervene.replace("_", " ")
        lines.append(f" the arm {moves}" if grip.intervene else f" the arm is yours while {held} is held")
    lines.append(" bytes   " + (report.hex(" ") if report else "none yet: press a button"))
    return "\n".join(lines)


def bar(value: float) -> str:
    """A stick's way as a bar, -1 to 1."""
    filled = round(abs(value) * BAR)
    left, right = (filled, 0) if value < 0 else (0, filled)
    return "[" + ("=" * left).rjust(BAR) + "|" + ("=" * right).ljust(BAR) + "]"


def mapping_of(pad: Pad, wanted: str | None) -> PadMapping | None:
    """The mapping that a pad is read by. Raises ToolRefused."""
    try:
        return pad.found.mapping if wanted is None else named(wanted)
    except MappingError as error:
        raise ToolRefused(str(error)) from error


@contextlib.contextmanager
def terminal_keys() -> Iterator[Keys]:
    """Single keys of this terminal, without echo; without a terminal there are none."""
    if not sys.stdin.isatty():
        yield _no_keys
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _key
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _key(wait_s: float) -> str:
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return sys.stdin.read(1) if ready else ""


def _no_keys(wait_s: float) -> str:
    time.sleep(wait_s)
    return ""


def _none(there: list[Found], device: str | None) -> str:
    if there:
        return f"no gamepad {device}; there are: {', '.join(one.label for one in there)}"
    return (
        "no gamepad found. Is it plugged in, or paired and switched on? `lsusb` shows it by cable; a container or a"
        " virtual machine must be given the device"
    )
