"""A health model and an arm that it is told of, tick by tick."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.robot.servo_cell import START
from workers.robot.drivers import ArmReading, ServoHealth
from workers.robot.figures import Floats
from workers.robot.health import Finding, Health, Thresholds

ELBOW = 2
TICK_S = 0.02
WELL = ServoHealth((0.0,) * 6, (12.0,) * 6, (30.0,) * 6, (0,) * 6, (0,) * 6)
LEAD = np.array([3.5] * 5 + [20.0])


class Ward:
    """A health model and an arm that it is told of, tick by tick."""

    def __init__(self, lead_deg: Floats = LEAD) -> None:
        self.health = Health(Thresholds(Thresholds.pushes(lead_deg)))
        self.now_s, self.found = 50.0, list[Finding]()
        self.joints = START.copy()

    def see(
        self,
        seconds: float,
        error_deg: float = 0.0,
        current_a: float = 0.0,
        joint: int = ELBOW,
        **figures: NDArray[Any],
    ) -> list[Finding]:
        """The findings of so many seconds in which a joint is so far off its goal."""
        goal, current = self.joints.copy(), np.zeros(6)
        goal[joint] += error_deg
        current[joint] = current_a
        health = replace(WELL, **{name: tuple(each.tolist()) for name, each in figures.items()})
        found = []
        for _ in range(round(seconds / TICK_S)):
            found += self.health.take(
                ArmReading(self.joints, np.zeros(6), 0.0, current, health=health), goal, self.now_s
            )
            self.now_s += TICK_S
        self.found += found
        return found


def one(value: float, joint: int = ELBOW, rest: float = 0.0) -> Floats:
    values = np.full(6, rest)
    values[joint] = value
    return values
