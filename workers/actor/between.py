"""Between two episodes: a person sets up the scene, and warm servos cool down. A key ends either sooner."""

import time
from collections.abc import Callable

from workers.actor.chair import Chair
from workers.model.events import COOLING, SET_UP


class Between:
    """What keeps the next episode waiting.

    Args:
        warmth: which servos are warm, in words; "" while none is.
    """

    def __init__(self, chair: Chair, warmth: Callable[[], str]) -> None:
        self._chair, self._warmth = chair, warmth
        self._scene_ready_s = 0.0
        self._cools = False

    def begin(self) -> bool:
        """An episode is over: whether the servos are to cool down before the next one."""
        self._cools = bool(self._warmth())
        self._chair.take_proceed()  # pressed during the episode
        return self._cools

    def make_room(self, seconds: float) -> None:
        """Time for the scene, from now on."""
        self._scene_ready_s = time.monotonic() + seconds

    def scene_missing(self) -> str:
        """How long there is still time to set up the scene."""
        left_s = self._scene_ready_s - time.monotonic()
        if left_s > 0 and self._chair.take_proceed():
            self._scene_ready_s = left_s = 0.0
        return f"{SET_UP}: {left_s:.0f} s left, n when it is ready" if left_s > 0 else ""

    def cooling(self) -> str:
        """Which servos cool down."""
        if not self._cools:
            return ""
        warmth = self._warmth()
        if not warmth or self._chair.take_proceed():
            self._cools = False
            return ""
        return f"{COOLING}: {warmth}; n goes on all the same"
