"""Whether an episode's steps came at the rate that the dataset will say they did.

Where a camera or the computer is slower than the environment, steps wait for their pictures: each frame is a new one,
but they lie further apart than the dataset's times tell.
"""

import itertools
import statistics
from collections import deque
from typing import Final

TOLERANCE: Final = 0.05
LEAST_STEPS: Final = 10  # a shorter episode says nothing about a rate
STEPS_KEPT: Final = 10_000


class Pace:
    """Takes the times of an episode's steps."""

    def __init__(self) -> None:
        self._times_ns: deque[int] = deque(maxlen=STEPS_KEPT)

    def add(self, executed_ns: int) -> None:
        self._times_ns.append(executed_ns)

    def judge(self, fps: float) -> str:
        """What to tell of them, "" when they came at `fps` to within 5 %."""
        times = list(self._times_ns)
        if len(times) < LEAST_STEPS or times[-1] <= times[0]:
            return ""
        hz = (len(times) - 1) / (times[-1] - times[0]) * 1e9
        if abs(hz / fps - 1.0) <= TOLERANCE:
            return ""
        longest_s = max(b - a for a, b in itertools.pairwise(times)) / 1e9
        usual_s = statistics.median(b - a for a, b in itertools.pairwise(times)) / 1e9
        return (
            f"{hz:.1f} steps a second were recorded, not {fps:g} as the dataset says (usually {usual_s:.2f} s apart, at"
            f" most {longest_s:.2f} s): a camera or this computer was too slow. Leave the episode out, or lower env.fps"
        )
