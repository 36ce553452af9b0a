"""Transition records: what an actor writes, and the truth every buffer is a view of.

A step holds the observation it acted on. Its next observation is the following record of the same
episode (the next step, or the closing observation in the episode's end), so each frame exists once.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.model.events import DecidedBy

DECIDERS = (DecidedBy.NOBODY, DecidedBy.TASK, DecidedBy.PERSON, DecidedBy.CLASSIFIER)
"""In the order in which logs and datasets number them."""


class FeatureSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shapes of an observation and an action: what log, replay and networks must agree on."""

    state_dim: int
    """Length of `observation.state`."""
    cameras: tuple[str, ...]
    """Camera names, in the order in which records hold their pictures; there may be none."""
    height: int
    """Picture height in pixels, the same for all cameras; 0 without cameras."""
    width: int
    """Picture width in pixels, the same for all cameras; 0 without cameras."""
    motion_dim: int = 3
    """Continuous elements of an action, each in [-1, 1]; dx, dy, dz of an arm."""
    gripper: bool = True
    """Whether a last element is the gripper's command: 0 close, 1 stay, 2 open."""

    @property
    def action_dim(self) -> int:
        """Elements of an action."""
        return self.motion_dim + self.gripper

    @property
    def image_shape(self) -> tuple[int, int, int, int]:
        """[cameras, height, width, 3]: the pictures of one observation."""
        return (len(self.cameras), self.height, self.width, 3)

    def differences(self, other: "FeatureSpec") -> list[str]:
        """One readable line per field in which `other` differs; empty when both are the same."""
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in self.__struct_fields__)
        return [f"{name}: {mine!r} here, {theirs!r} there" for name, mine, theirs in pairs if mine != theirs]


class Outcome(StrEnum):
    """How an episode ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIME_LIMIT = "time_limit"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Step:
    """One environment step: an observation, the action executed on it, and what came of it."""

    episode: int
    step: int
    """Index in the episode, dense from 0."""
    state: NDArray[np.float32]
    """float32 [state_dim]: the observation acted on."""
    images: NDArray[np.uint8]
    """uint8 [cameras, height, width, 3]: the pictures acted on."""
    action: NDArray[np.float32]
    """float32 [action_dim]: as executed, after clipping and intervention."""
    reward: float
    terminated: bool
    """The task ended here (success or failure): nothing is bootstrapped beyond."""
    truncated: bool
    """The episode was cut here (time limit, stop): bootstrapped from the next observation."""
    is_intervention: bool = False
    is_demonstration: bool = False
    discrete_penalty: float = 0.0
    """Added to the reward of the gripper critic only; zero or negative."""
    policy_version: int = 0
    captured_ns: int = 0
    """Monotonic time at which the observation was taken."""
    executed_ns: int = 0
    """Monotonic time at which the action was sent."""
    decided_by: DecidedBy = DecidedBy.NOBODY
    """Who decided its reward, or the end, if anybody did at this step."""
    seq: int = -1
    """Position in the log; -1 until the log has it."""
    session: int = 0
    """Which opening of the log wrote it; an episode never spans two."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EpisodeEnd:
    """The end of an episode, with the observation that followed its last step."""

    episode: int
    outcome: Outcome
    state: NDArray[np.float32] | None = None
    """float32 [state_dim] after the last step; None when it could not be taken."""
    images: NDArray[np.uint8] | None = None
    """uint8 [cameras, height, width, 3] after the last step; None when they could not be taken."""
    discard: bool = False
    """The operator asked to record the episode again: nothing of it is used."""
    seq: int = -1
    session: int = 0


Record = Step | EpisodeEnd
