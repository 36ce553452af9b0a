"""A person's device in shared memory: what its worker writes, and what a reader may make of it by its age.

A command of a person is valid for 150 ms after the device was read (`FRESH_NS`), by the clock of the machine
that both sides run on; whatever is older, or comes from a device that is gone, moves nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from workers.config.teleop import DeviceType
from workers.model.commands import Verdict
from workers.robot.board import TELEOP_STATE
from workers.robot.figures import Floats
from workers.runtime.shared import SharedNewest

FRESH_NS = 150_000_000
LOST_NS = 350_000_000  # whoever is silent for so long is not late, but gone: the run pauses within 500 ms
COUNTS = {Verdict.SUCCESS: "successes", Verdict.FAILURE: "failures", Verdict.RERECORD: "rerecords"}
NO_JOINTS = np.full(6, np.nan)
NO_JOINTS.setflags(write=False)


@dataclass(frozen=True, slots=True)
class DeviceWord:
    """What a device says now. Of one that is not `live`, motion and gripper are 0 and `intervene` is false."""

    source: str = ""
    live: bool = False  # connected, and read within 150 ms
    lost: bool = True  # unplugged, or silent for a third of a second
    intervene: bool = False  # the person holds the arm
    motion: Floats = field(default_factory=lambda: np.zeros(3))  # [3] shares of one action unit, -1 to 1
    gripper: float = 0.0  # -1 closes, +1 opens, 0 stays
    joints_deg: Floats = field(default_factory=NO_JOINTS.copy)  # [6] of a leader arm, NaN of other devices
    presses: tuple[int, ...] = (0, 0, 0)  # successes, failures, rerecords so far
    reason: str = ""  # what is wrong with the device

    @property
    def moves(self) -> bool:
        """Whether it asks for a motion of its own; a leader arm's pose is another matter."""
        return bool(self.motion.any()) or self.gripper != 0.0


NOT_READ = DeviceWord(reason="its worker is not ready")


def called(device: DeviceType) -> str:
    """What the operator calls a device, "" for the terminal's keys, which are always there."""
    return _CALLED[device]


_CALLED: dict[DeviceType, str] = {
    "keyboard": "",
    "gamepad": "gamepad",
    "so101_leader": "leader arm",
    "so100_leader": "leader arm",
    "display_keyboard": "display keyboard",
}


class DeviceReader:
    """The newest word of the device, judged by its age on this machine's monotonic clock."""

    def __init__(self, block: SharedNewest, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._block, self._clock_ns = block, clock_ns

    def read(self) -> DeviceWord:
        """What may be done by the device now."""
        read = self._block.read()
        if read is None:
            return NOT_READ
        state = read[1]
        age_ns = self._clock_ns() - int(state["at_ns"])
        connected = bool(state["connected"])
        presses = tuple(int(state[name]) for name in COUNTS.values())
        source, reason = state["source"].decode(errors="replace"), state["reason"].decode(errors="replace")
        if not connected or age_ns > FRESH_NS:
            lost = not connected or age_ns > LOST_NS
            silent = "its worker is silent" if connected else reason
            return DeviceWord(source, lost=lost, presses=presses, reason=silent)
        motion, gripper = _shares(state["motion"]), _shares(state["gripper"])
        return DeviceWord(
            source, True, False, bool(state["intervene"]), motion, float(gripper), state["joints"].copy(), presses,
            reason,
        )  # fmt: skip


class DeviceSink(Protocol):
    """What a reader of a device tells: `DeviceWriter`, or a word on its way to another computer."""

    def press(self, verdict: Verdict) -> None: ...
    def gone(self, reason: str) -> None: ...
    def write(
        self,
        intervene: bool,
        motion: Floats,
        gripper: float = 0.0,
        joints_deg: Floats | None = None,
        reason: str = "",
        at_ns: int | None = None,
    ) -> None: ...


class DeviceWriter:
    """Writes what a worker read of its device. Only one process may write a block.

    Args:
        source: what the operator calls the device, at most 16 bytes of ASCII.
    """

    def __init__(
        self, block: SharedNewest, source: str, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._block, self._clock_ns = block, clock_ns
        self._state = np.zeros((), TELEOP_STATE)
        newest = block.read()
        if newest is not None:  # a restarted worker goes on counting: a press is never heard twice
            self._state = np.array(newest[1])
        self._state["source"] = source.encode()
        self._nothing()

    def press(self, verdict: Verdict) -> None:
        """Count a press; told with the next `write` or `gone`."""
        self._state[COUNTS[verdict]] += 1

    def write(
        self,
        intervene: bool,
        motion: Floats,
        gripper: float = 0.0,
        joints_deg: Floats | None = None,
        reason: str = "",
        at_ns: int | None = None,
    ) -> None:
        """The device was read at `at_ns` (now, if not given). `reason`: what is odd about it, ASCII, 64 bytes."""
        self._state["connected"] = True
        self._state["intervene"], self._state["motion"], self._state["gripper"] = intervene, motion, gripper
        self._state["joints"] = NO_JOINTS if joints_deg is None else joints_deg
        self._publish(reason, at_ns)

    def gone(self, reason: str) -> None:
        """There is no device: nothing moves, the person lets go."""
        self._nothing()
        self._publish(reason, None)

    def _nothing(self) -> None:
        self._state["connected"] = self._state["intervene"] = False
        self._state["motion"], self._state["gripper"], self._state["joints"] = 0.0, 0.0, NO_JOINTS

    def _publish(self, reason: str, at_ns: int | None) -> None:
        self._state["reason"] = reason.encode("ascii", "replace")
        self._state["at_ns"] = self._clock_ns() if at_ns is None else at_ns
        self._state["number"] += 1
        self._block.write(self._state)


def _shares(values: Floats) -> Floats:
    """Numbers that are none count as 0; the rest within -1 to 1."""
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
