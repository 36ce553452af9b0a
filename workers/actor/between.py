"""Between two episodes: a person sets up the scene, and warm servos cool down. A key ends either sooner.

And before a demonstration that begins with the person's first motion: the way to where it begins.
"""

import contextlib
import time
from collections.abc import Callable

from workers.actor.chair import Chair
from workers.actor.environment import ArmUnavailable
from workers.model.events import COOLING, FIRST_MOTION, SET_UP, EpisodeKind


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
        return f"{SET_UP}: {left_s:.0f} s left, n when ready" if left_s > 0 else ""

    def cooling(self) -> str:
        """Which servos cool down."""
        if not self._cools:
            return ""
        warmth = self._warmth()
        if not warmth or self._chair.take_proceed():
            self._cools = False
            return ""
        return f"{COOLING}: {warmth}; n goes on"


class Start:
    """Where episodes begin, and a demonstration with the first motion of whoever has the arm.

    Args:
        go: brings the arm to where the episode with this seed begins. Raises ArmUnavailable.
        on_motion: demonstrations begin with the person's first motion.
    """

    def __init__(self, chair: Chair, go: Callable[[int], None], on_motion: bool) -> None:
        self._chair, self._go, self._on_motion = chair, go, on_motion
        self._is_there = False

    def go(self, seed: int) -> None:
        """To where the next episode begins. Raises ArmUnavailable."""
        self._go(seed)
        self._is_there = True

    def left(self) -> None:
        """An episode has begun."""
        self._is_there = False

    def motion_missing(self, kind: EpisodeKind, seed: int) -> str:
        """What the episode waits for, "" where that is nothing. What is recorded does not begin on the way to it."""
        if not (self._on_motion and kind is EpisodeKind.DEMONSTRATION and self._chair.has_person):
            return ""
        if not self._is_there:
            self._is_there = True  # tried once: where the arm cannot get there, the episode itself says why
            with contextlib.suppress(ArmUnavailable):
                self._go(seed)
            self._chair.take_jogs()
        return "" if self._chair.moves else FIRST_MOTION
