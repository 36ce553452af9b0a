"""The frame store: every observation in memory exactly once, with what was done on it.

A slot is one time step. Views (online, offline) hold slots; a slot is free again when no view needs it
as an observation or as a next observation.
"""

import numpy as np
from numpy.typing import NDArray

from workers.learner.pictures import Pictures
from workers.transport.record import FeatureSpec, Step

NO_SLOT = -1


class FrameStore:
    """`slots` observations with reference counts.

    Pictures have a store of their own; the numbers beside them (some hundred bytes a slot) are in main memory.
    """

    def __init__(self, features: FeatureSpec, slots: int, pictures: Pictures) -> None:
        self.pictures = pictures
        self.state = np.empty((slots, features.state_dim), np.float32)
        self.action = np.empty((slots, features.action_dim), np.float32)
        self.reward = np.empty(slots, np.float32)
        self.terminated = np.empty(slots, np.bool_)
        self.discrete_penalty = np.empty(slots, np.float32)
        self.next_slot = np.full(slots, NO_SLOT, np.int32)
        self._source = np.empty(slots, np.int32)
        self._session = np.empty(slots, np.int64)
        self._episode = np.empty(slots, np.int64)
        self._references = np.zeros(slots, np.uint8)
        self._free: list[int] = []
        self._untouched = 0

    @property
    def free(self) -> int:
        """Slots not in use."""
        return len(self._free) + len(self._references) - self._untouched

    def take(self) -> int:
        """A free slot with one reference held by the caller. Raises IndexError when none is free."""
        if self._free:
            slot = self._free.pop()
        elif self._untouched < len(self._references):
            slot = self._untouched
            self._untouched += 1
        else:
            raise IndexError("no free slot in the frame store")
        self._references[slot] = 1
        self.next_slot[slot] = NO_SLOT
        return slot

    def hold(self, slot: int) -> None:
        """One more reference to `slot`."""
        self._references[slot] += 1

    def release(self, slot: int) -> None:
        """One reference less; the last one frees the slot."""
        self._references[slot] -= 1
        if not self._references[slot]:
            self._free.append(slot)

    def of_episode(
        self, slots: NDArray[np.int64], source: int, session: int, episode: int
    ) -> NDArray[np.bool_]:
        """Which of `slots` [n] hold steps of that episode, bool [n]."""
        same: NDArray[np.bool_] = (
            (self._episode[slots] == episode)
            & (self._session[slots] == session)
            & (self._source[slots] == source)
        )
        return same

    def write_step(self, slot: int, step: Step, source: int) -> None:
        """Copy a step of the log numbered `source` into `slot`."""
        self.write_observation(slot, step.state, step.images)
        self.action[slot] = step.action
        self.reward[slot] = step.reward
        self.terminated[slot] = step.terminated
        self.discrete_penalty[slot] = step.discrete_penalty
        self._source[slot] = source
        self._session[slot] = step.session
        self._episode[slot] = step.episode

    def write_observation(self, slot: int, state: NDArray[np.float32], images: NDArray[np.uint8]) -> None:
        """Copy an observation alone into `slot`."""
        self.state[slot] = state
        self.pictures.write(slot, images)
