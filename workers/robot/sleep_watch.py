"""Whether the computer slept: time that the monotonic clock does not count."""

import sys
import time
from collections.abc import Callable

SLEPT_S = 1.0


def _boot_s() -> float:
    """Seconds since the machine started, sleep included; Linux only."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SleepWatch:
    """Tells of a suspend at the first look after it."""

    def __init__(
        self, boot_s: Callable[[], float] = _boot_s, awake_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._boot_s, self._awake_s = boot_s, awake_s
        self._asleep_s = boot_s() - awake_s()

    def slept_s(self) -> float:
        """Seconds that were slept since the last call, 0 for less than one."""
        asleep_s = self._boot_s() - self._awake_s()
        slept_s, self._asleep_s = asleep_s - self._asleep_s, asleep_s
        return slept_s if slept_s > SLEPT_S else 0.0
