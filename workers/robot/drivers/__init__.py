"""What every arm driver offers, whether servos on a bus or a simulator. Drivers know nothing above them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from workers.robot.figures import Floats

_ZEROS, _UNKNOWN = np.zeros(6), np.full(6, np.nan)
_ZEROS.flags.writeable = _UNKNOWN.flags.writeable = False


class ArmGone(Exception):
    """The arm cannot be reached any more (port gone, bus dead); the text is for the operator."""


class ArmRefused(ArmGone):
    """What is on the port must not be driven: another arm, servos missing or unprotected, a wrong supply."""


@dataclass(frozen=True, slots=True)
class ServoHealth:
    """What the servos say of themselves with a reading; all [6], motor order, and plain numbers: nobody reckons with
    them, but every one is looked at in every tick."""

    load_pct: tuple[float, ...]  # share of the drive in use, signed
    voltage_v: tuple[float, ...]
    temperature_c: tuple[float, ...]
    error_bits: tuple[int, ...]  # 0 voltage, 1 encoder, 2 temperature, 3 current, 5 overload
    misses: tuple[int, ...]  # replies missed in a row; the figures are then the last good ones
    unpowered: tuple[bool, ...] = (False,) * 6
    """Servos whose torque is off though it was switched on: they lost their supply for a moment."""
    garbled: tuple[int, ...] = (0,) * 6
    """How many of the missed replies came, but could not be read."""
    belated: tuple[bool, ...] = (False,) * 6
    """Servos that are missed, but answer: too late."""


@dataclass(frozen=True, slots=True)
class ArmReading:
    """What the arm measured at one moment."""

    joints_deg: Floats  # [6] public joint vector
    velocity_deg_s: Floats  # [6] degrees/s, gripper percent/s
    stamp_s: float  # seconds of the driver's own clock; only differences mean something
    current_a: Floats = field(default_factory=lambda: _ZEROS)  # [6] motor currents, ampere, signed
    goal_deg: Floats = field(default_factory=lambda: _UNKNOWN)  # [6] newest one past the gate
    clipped_ticks: int = 0  # in which the gate cut a goal, not just delayed it; since the worker started
    health: ServoHealth | None = None  # None of an arm without servos


class ArmDriver(Protocol):
    """A position-controlled arm."""

    def read(self) -> ArmReading: ...

    def write(self, goal_deg: Floats) -> None:
        """Set the servo goals, public joint vector [6]. Callers pass gated goals only."""
        ...


class ServoArm(ArmDriver, Protocol):
    """An arm of real servos. `read` repeats the last good figures of a servo that misses a reply, and counts.

    Every method raises ArmGone when the port is gone, and never anything else of the bus.
    """

    slow: str
    """What to tell the operator of a bus that is slow, as it was opened last; "" of a quick one."""

    def set_torque(self, on: bool) -> None:
        """Torque of all six servos. Switching it on first sets every goal to where the joint is: no jump."""
        ...

    def cap_torque(self, limit_pct: Floats) -> None:
        """Torque limits [6] in percent of what the servos can give; kept in their RAM, changeable while moving."""
        ...

    def reopen(self) -> None:
        """Open the port again after ArmGone, and verify the servos as at the first time."""
        ...

    def close(self) -> None:
        """Close the port; goals and torque stay as they are."""
        ...
