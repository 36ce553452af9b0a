"""Gamepad worker: finds the pad, reads it a hundred times a second, and writes what it says for the actor."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from workers.config import Config, TeleopConfig
from workers.robot.board import Board
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.pacer import Pacer
from workers.runtime.shared import SharedNewest
from workers.teleop.device import LOST_NS, DeviceSink, DeviceWriter
from workers.teleop.gamepad.controls import Controls
from workers.teleop.gamepad.mapping import MappingError, PadMapping, known, named
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

READ_HZ = 100.0
SEARCH_S = 1.0
RATE_PERIOD_S = 1.0
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config, board: Board) -> None:
    """Until told to quit. Raises WorkerFailure for a mapping that cannot be used."""
    try:
        worker = GamepadReader(config.env.teleop, DeviceWriter(board.teleop, "gamepad"), board.target)
    except MappingError as error:
        raise WorkerFailure(str(error)) from error
    except ImportError as error:
        raise WorkerFailure(f"hidapi cannot be loaded: {error}. `pip install hidapi` brings it") from error
    pacer = Pacer(desk.name, 1.0 / READ_HZ)
    last_rate_s = time.monotonic()
    while desk.alive():
        desk.next_order()  # Quit is the only order; `alive` then says no
        worker.tick()
        if time.monotonic() - last_rate_s > RATE_PERIOD_S:
            last_rate_s = time.monotonic()
            desk.mailbox.emit(pacer.rate())
        pacer.wait()
    worker.close()


class GamepadReader:
    """One pad and the record that the actor reads; a tick reads and writes.

    Args:
        target: where the actor says whether a person drives; None where there is no actor.
        modules: hidapi; tests bring their own.
    """

    def __init__(
        self,
        teleop: TeleopConfig,
        writer: DeviceSink,
        target: SharedNewest | None = None,
        modules: tuple[Hidapi, Hidapi | None] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Raises MappingError, and ImportError where there is no hidapi."""
        self._teleop, self._writer, self._target, self._clock_ns = teleop, writer, target, clock_ns
        self._own = None if teleop.mapping is None else named(teleop.mapping)
        self._mappings = known()
        self._modules = backends() if modules is None else modules
        self._open: _Open | None = None
        self._search_at_ns = 0
        self._trouble, self._short, self._doubt = "", "", ""

    def tick(self) -> None:
        """Read the pad, or look for one once a second; write what it says."""
        now_ns = self._clock_ns()
        try:
            if self._open is None:
                self._find(now_ns)
            if self._open is not None:
                self._read(self._open, now_ns)
        except PadGone as gone:
            self._lose(f"{gone}: plug it in again", "unplugged, or its battery is empty")
        except PadRefused as refused:
            self._lose(str(refused), refused.short)
        if self._open is None:
            self._writer.gone(self._short)

    def close(self) -> None:
        """Nobody drives by the pad any more."""
        self._writer.gone("its worker has ended")
        if self._open is not None:
            self._open.pad.close()

    def _find(self, now_ns: int) -> None:
        if now_ns < self._search_at_ns:
            return
        self._search_at_ns = now_ns + round(SEARCH_S * 1e9)
        there = search(self._mappings, self._modules)
        found = chosen(there, self._teleop.device)
        mapping = None if found is None else self._own or found.mapping
        if found is None:
            self._lose(*self._missing(there))
        elif mapping is None:
            text = f"{found.label} has no mapping: `hilserl-worker map-gamepad` makes one in a minute"
            self._lose(text, f"{found.ids} has no mapping: see map-gamepad")
        else:
            controls = Controls(mapping.use, self._teleop.deadzone, self._teleop.hold_to_intervene)
            self._open = _Open(Pad(found, mapping.wake), mapping, controls, now_ns)
            self._trouble = ""
            log.info("%s is there, read as %s", found.label, mapping.name)

    def _missing(self, there: list[Found]) -> tuple[str, str]:
        if self._teleop.device is not None and there:
            others = ", ".join(one.label for one in there)
            return f"no gamepad {self._teleop.device}, only {others}", f"no {self._teleop.device}, but others"
        return "no gamepad found: plug one in, or pair it and switch it on", "none found, plug one in"

    def _read(self, pad: "_Open", now_ns: int) -> None:
        for report in pad.pad.reports():
            values = pad.mapping.values(report)
            if values is not None:
                pad.report_ns = now_ns
                for verdict in pad.controls.hear(values):
                    self._writer.press(verdict)
        if pad.mapping.streams and now_ns - pad.report_ns > LOST_NS:
            raise PadGone(f"{pad.pad.found.label} is silent")
        self._write(pad, now_ns)

    def _write(self, pad: "_Open", now_ns: int) -> None:
        """A pad that sends only changes is fresh while it can be read; one that streams, while it does."""
        at_ns = pad.report_ns if pad.mapping.streams else now_ns
        grip = pad.controls.grip()
        doubt = pad.controls.doubt(grip.intervene or self._person_drives(), now_ns / 1e9)
        if doubt and not self._doubt:
            log.warning("gamepad: %s", doubt)
        self._doubt = doubt
        self._writer.write(grip.intervene, grip.motion, grip.gripper, reason=doubt, at_ns=at_ns)

    def _person_drives(self) -> bool:
        read = None if self._target is None else self._target.read()
        return read is not None and bool(read[1]["human"])

    def _lose(self, why: str, short: str) -> None:
        """Let go of the pad; said once, and again only when the reason is another."""
        if self._open is not None:
            self._open.pad.close()
            self._open = None
        self._short = short
        if why != self._trouble:
            log.warning("%s", why)
        self._trouble = why


@dataclass
class _Open:
    """A pad that is read."""

    pad: Pad
    mapping: PadMapping
    controls: Controls
    report_ns: int  # when it last told of its controls
