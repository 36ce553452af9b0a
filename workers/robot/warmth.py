"""How warm the servos are and where that is going. Pure: temperatures [6] in °C in, words and rates out."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.figures import JOINT_NAMES, Floats

SPAN_S: Final = 120.0  # over which a trend is told
LEAST_S: Final = 60.0  # a sensor of whole degrees tells none sooner
STEADY_C_MIN: Final = 0.75  # one degree in `LEAST_S` may be its last digit
_EVERY_S: Final = 5.0


class Warmth:
    """What the servos' temperatures were in the last two minutes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Floats]] = deque()
        self._now_c: Floats = np.full(len(JOINT_NAMES), -np.inf)

    def take(self, temperature_c: Floats, now_s: float) -> bool:
        """Note temperatures [6], now and then; whether it did. What is no finite number was not measured yet."""
        if not np.isfinite(temperature_c).all():
            return False
        self._now_c = temperature_c
        is_due = not self._seen or now_s - self._seen[-1][0] >= _EVERY_S
        if is_due:
            self._seen.append((now_s, temperature_c.copy()))
        while now_s - self._seen[0][0] > SPAN_S:
            self._seen.popleft()
        return is_due

    @property
    def rise_c_min(self) -> Floats:
        """Degrees a minute [6]; 0 while too little was seen."""
        if not self._seen:
            return np.zeros(len(JOINT_NAMES))
        (first_s, first_c), (last_s, last_c) = self._seen[0], self._seen[-1]
        if last_s - first_s < LEAST_S:
            return np.zeros(len(JOINT_NAMES))
        return (last_c - first_c) * 60.0 / (last_s - first_s)

    def words(self, which: NDArray[np.bool_]) -> str:
        """Of these servos [6]: joint, temperature and trend; "" of none."""
        rises = self.rise_c_min
        return "; ".join(
            f"{JOINT_NAMES[joint]} {self._now_c[joint]:.0f} °C{_trend(rises[joint])}"
            for joint in np.flatnonzero(which).tolist()
        )


def _trend(rise_c_min: float) -> str:
    if abs(rise_c_min) < STEADY_C_MIN:
        return ""
    return f", {'rising' if rise_c_min > 0 else 'falling'} {abs(rise_c_min):.1f} °C a minute"
