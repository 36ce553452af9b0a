"""What two consecutive replies of a servo agree on.

The sum over a packet has eight bits: of 256 damaged ones it lets one through. A position that cannot be is thrown
away by the driver; a temperature, a voltage or an error bit can be anything. So it counts once a second reply says
the same, a period later. A servo that misses a reply repeats its last figures, which agrees with nothing.
"""

import numpy as np
from numpy.typing import NDArray

from workers.robot.drivers import ServoHealth
from workers.robot.figures import Floats

_NO_REPLY = (-np.inf, np.inf, 0)  # °C, volts, error bits


class Agreement:
    """The newest two replies of each servo, and what both say. All [6], motor order."""

    def __init__(self) -> None:
        self.at_least_c: Floats = np.full(6, -np.inf)
        """No reply of the last two was cooler."""
        self.at_most_c: Floats = np.full(6, -np.inf)
        """No reply of the last two was warmer."""
        self.at_least_v: Floats = np.full(6, np.inf)
        self.at_most_v: Floats = np.full(6, np.inf)
        self.error_bits: NDArray[np.uint8] = np.zeros(6, np.uint8)
        """As both replies have them; where they differ, as it was before."""
        self._newest = [_NO_REPLY] * 6
        self._settled = [False] * 6  # the last two replies were the same

    def take(self, health: ServoHealth) -> bool:
        """A reading; only servos that answered in it count. Whether anything is other than it was."""
        changed = False
        # Nearly always nothing is new.
        figures = zip(health.temperature_c, health.voltage_v, health.error_bits, strict=True)
        for joint, new in enumerate(figures):
            before = self._newest[joint]
            if health.misses[joint] or (new == before and self._settled[joint]):
                continue
            changed = True
            self._newest[joint], self._settled[joint] = new, new == before
            self.at_least_c[joint], self.at_most_c[joint] = sorted((new[0], before[0]))
            self.at_least_v[joint], self.at_most_v[joint] = sorted((new[1], before[1]))
            bits = int(self.error_bits[joint])
            self.error_bits[joint] = (bits | (new[2] & before[2])) & (new[2] | before[2])
        return changed

    def forget(self, bits: int) -> None:
        """These bits were seen to: it takes two replies again to believe in one of them."""
        self.error_bits &= np.uint8(~bits & 0xFF)
        self._newest = [(warm, volts, told & ~bits) for warm, volts, told in self._newest]
        self._settled = [False] * 6
