"""What two consecutive replies of a servo agree on.

The sum over a packet has eight bits: of 256 damaged ones it lets one through. A position that cannot be is thrown
away by the driver; a temperature, a voltage or an error bit can be anything. So it counts once a second reply says
the same, a period later. A servo that misses a reply repeats its last figures, which agrees with nothing.
"""

import numpy as np
from numpy.typing import NDArray

from workers.robot.drivers import ServoHealth
from workers.robot.figures import Floats


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
        self._temperature_c: Floats = np.full(6, -np.inf)
        self._voltage_v: Floats = np.full(6, np.inf)
        self._bits: NDArray[np.uint8] = np.zeros(6, np.uint8)

    def take(self, health: ServoHealth) -> None:
        """A reading; only servos that answered in it count."""
        new = health.misses == 0
        warm, volts, bits = health.temperature_c, health.voltage_v, health.error_bits
        self.at_least_c = np.where(new, np.minimum(warm, self._temperature_c), self.at_least_c)
        self.at_most_c = np.where(new, np.maximum(warm, self._temperature_c), self.at_most_c)
        self.at_least_v = np.where(new, np.minimum(volts, self._voltage_v), self.at_least_v)
        self.at_most_v = np.where(new, np.maximum(volts, self._voltage_v), self.at_most_v)
        agreed = (self.error_bits | (bits & self._bits)) & (bits | self._bits)
        self.error_bits = np.where(new, agreed, self.error_bits).astype(np.uint8)
        self._temperature_c = np.where(new, warm, self._temperature_c)
        self._voltage_v = np.where(new, volts, self._voltage_v)
        self._bits = np.where(new, bits, self._bits).astype(np.uint8)

    def forget(self, bits: int) -> None:
        """These bits were seen to: it takes two replies again to believe in one of them."""
        keep = np.uint8(~bits & 0xFF)
        self.error_bits &= keep
        self._bits &= keep
