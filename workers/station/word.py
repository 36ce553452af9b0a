"""What the station says to the robot worker: stop, go on, let go, leave. Straight into shared memory."""

import time

import numpy as np

from workers.robot.board import STATION_WORD
from workers.runtime.shared import SharedNewest


class StationWord:
    """The station's end of `Board.word`. Requests are counted: a robot worker that starts meanwhile misses none."""

    def __init__(self, block: SharedNewest) -> None:
        self._block = block
        self._word = np.zeros((), STATION_WORD)
        self._hands = 0

    def speak(self) -> None:
        """Say that the station lives, at least once a second."""
        self._word["at_ns"] = time.monotonic_ns()
        self._block.write(self._word)

    def stop(self) -> None:
        """Hold the arm where it is, torque on, until `clear`."""
        self._word["stops"] += 1
        self._word["let_go"] = 0
        self.speak()

    def clear(self) -> None:
        """Acknowledge stops, and faults that the robot worker found itself."""
        self._word["clears"] = self._word["stops"]
        self._word["let_go"] = 0
        self._word["acknowledged"] += 1
        self.speak()

    def confirm(self) -> None:
        """A person lets a real arm move for the first time."""
        self._word["confirmed"] += 1
        self.speak()

    def let_go(self, on: bool) -> None:
        """Torque off, for a hand to move the arm; or on again where the arm is then."""
        self._hands += on
        self._word["let_go"] = self._hands if on else 0
        self.speak()

    def abandon(self) -> None:
        """Do not park at the end: leave the arm where it is, torque on."""
        self._word["abandoned"] += 1
        self.speak()
