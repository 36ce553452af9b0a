"""Whether a hand is on the leader arm while its servos pull: what the joints do against the pull tells.

A joint that follows moves towards its goal. One that moves away from it, quickly, is pushed; one that is far
behind and does not come nearer is held. Units: degrees (gripper: percent), seconds.
"""

import numpy as np

from workers.robot.figures import Floats

PUSHED = np.array([3.0] * 5 + [12.0])  # this far against the pull, within about FORGET_S, is a push
PULLED = np.array([1.0] * 5 + [4.0])  # nearer to its goal a joint is not being pulled: it only trembles
FORGET_S = 0.25  # slower than 3 degrees in this time is no hand but the weight of the arm
HELD_S = 0.5
HELD_SHARE = 0.9  # of the goal's greatest lead
COMING = np.array([3.0] * 5 + [12.0])  # per second: a weak servo on its way, however late


class Hand:
    """Feels for a hand, tick by tick."""

    def __init__(self, lead_deg: Floats, tick_s: float) -> None:
        """`lead_deg` [6]: how far the goal may run ahead of the measured joint."""
        self._far = HELD_SHARE * lead_deg
        self._tick_s, self._keep = tick_s, float(np.exp(-tick_s / FORGET_S))
        self.forget()

    def forget(self) -> None:
        """Feel anew, at the beginning of a pull."""
        self._against: Floats = np.zeros(6)
        self._held_s: Floats = np.zeros(6)
        self._before: Floats | None = None

    def feel(self, measured_deg: Floats, goal_deg: Floats) -> tuple[bool, bool]:
        """(pushed, held) after one more tick, in which the servos pulled towards `goal_deg` [6]."""
        before, self._before = self._before, measured_deg
        if before is None:
            return False, False
        error = goal_deg - measured_deg
        away = np.where(np.abs(error) > PULLED, -np.sign(error) * (measured_deg - before), 0.0)
        self._against = np.maximum(self._keep * self._against + away, 0.0)
        coming = np.sign(error) * (measured_deg - before) > COMING * self._tick_s
        far = (np.abs(error) > self._far) & ~coming
        self._held_s = np.where(far, self._held_s + self._tick_s, 0.0)
        return bool((self._against > PUSHED).any()), bool((self._held_s > HELD_S).any())
