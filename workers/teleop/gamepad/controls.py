"""Controls: what a pad's sticks and buttons mean to the arm, with dead zone, taps that none loses, and a doubt."""

from dataclasses import dataclass

import numpy as np

from workers.model.commands import Verdict
from workers.robot.figures import Floats
from workers.teleop.gamepad.mapping import PRESSED, STICKS, Axis, Button, Use, Values

IDLE_S = 5.0  # armed, and no stick moved at all for so long: is this the right pad, in the right mode?
IDLE = "no stick has moved for 5 s: right pad, right mode?"


@dataclass(frozen=True, slots=True)
class Grip:
    """What the person does with the pad now."""

    intervene: bool
    motion: Floats  # [3] forward, left, up as shares of one action unit, -1 to 1
    gripper: float  # -1 closes, +1 opens, 0 stays


class Controls:
    """Reads one pad.

    Args:
        deadzone: share of a stick's way from the middle that moves nothing; beyond it the motion begins at 0.
        hold: the arm is the person's while the button is held, and nothing moves without; else presses toggle.
    """

    def __init__(self, use: Use, deadzone: float, hold: bool) -> None:
        self._use, self._deadzone, self._hold = use, deadzone, hold
        self._values: Values | None = None
        self._taken = False
        self._sticks: tuple[float, ...] = ()
        self._moved_s: float | None = None

    def hear(self, values: Values) -> list[Verdict]:
        """Note where the controls are; the verdicts of buttons that went down. Those held from the first count not."""
        before, self._values = self._values, values
        if before is None:
            self._taken = False
            return []
        if self._pressed(self._use.intervene) and not before[self._use.intervene] > PRESSED:
            self._taken = not self._taken
        marks = {
            Verdict.SUCCESS: self._use.success,
            Verdict.FAILURE: self._use.failure,
            Verdict.RERECORD: self._use.rerecord,
        }
        return [
            verdict
            for verdict, button in marks.items()
            if self._pressed(button) and not before[button] > PRESSED
        ]

    def grip(self) -> Grip:
        """What the person does now."""
        intervene = self._pressed(self._use.intervene) if self._hold else self._taken
        if not intervene:
            return Grip(False, np.zeros(3), 0.0)
        motion = np.array([self._axis(axis) for axis in (self._use.forward, self._use.left, self._use.up)])
        gripper = float(self._pressed(self._use.open)) - float(self._pressed(self._use.close))
        return Grip(True, motion, gripper)

    def doubt(self, armed: bool, now_s: float) -> str:
        """Why this may be no pad that drives, "" while nothing speaks against it.

        `armed`: a person has the arm, by the pad or by the intervene key, so that somebody would drive now.
        """
        sticks = tuple((self._values or {}).get(name, 0.0) for name in STICKS)
        if not armed or self._moved_s is None or sticks != self._sticks:
            self._moved_s = now_s
        self._sticks = sticks
        return IDLE if now_s - self._moved_s >= IDLE_S else ""

    def _pressed(self, button: Button) -> bool:
        return self._values is not None and self._values[button] > PRESSED

    def _axis(self, axis: Axis) -> float:
        """A stick's share beyond the dead zone, rescaled so that it begins at 0 and ends at 1."""
        assert self._values is not None
        value = self._values[axis.removeprefix("-")] * (-1.0 if axis.startswith("-") else 1.0)
        beyond = max(0.0, abs(value) - self._deadzone) / (1.0 - self._deadzone)
        return float(np.copysign(beyond, value)) if beyond else 0.0
