"""What every arm driver offers, whether servos on a bus or a simulator. Drivers know nothing above them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from workers.robot.figures import Floats


@dataclass(frozen=True, slots=True)
class ArmReading:
    """What the arm measured at one moment."""

    joints_deg: Floats  # [6] public joint vector
    velocity_deg_s: Floats  # [6] degrees/s, gripper percent/s
    stamp_s: float  # seconds of the driver's own clock; only differences mean something
    current_a: Floats = field(default_factory=lambda: np.zeros(6))  # [6] motor currents, ampere, signed
    goal_deg: Floats = field(default_factory=lambda: np.full(6, np.nan))  # [6] newest one past the gate
    clipped_ticks: int = 0  # in which the gate cut a goal, not just delayed it; since the worker started


class ArmDriver(Protocol):
    """A position-controlled arm."""

    def read(self) -> ArmReading: ...

    def write(self, goal_deg: Floats) -> None:
        """Set the servo goals, public joint vector [6]. Callers pass gated goals only."""
        ...
