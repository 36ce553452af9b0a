"""How the STS3215 servo writes signed numbers and currents into its registers (Feetech's memory table)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.figures import Floats

AMPERE_PER_COUNT: Final = 0.0065  # registers 28 and 69
_SIGN: Final = 1 << 15  # sign-magnitude, not two's complement: -1 is 0x8001

Counts = NDArray[np.uint16]


def register_of_current(current_a: Floats) -> Counts:
    """What Present_Current (register 69) holds at signed currents in ampere, any shape."""
    magnitude = np.minimum(np.rint(np.abs(current_a) / AMPERE_PER_COUNT), _SIGN - 1).astype(np.uint16)
    return np.where(np.signbit(current_a), magnitude | np.uint16(_SIGN), magnitude).astype(np.uint16)


def current_of_register(counts: Counts) -> Floats:
    """Signed currents in ampere from what Present_Current (register 69) holds, any shape."""
    magnitude = (counts & np.uint16(_SIGN - 1)).astype(np.float64) * AMPERE_PER_COUNT
    return np.where(counts & np.uint16(_SIGN), -magnitude, magnitude)
