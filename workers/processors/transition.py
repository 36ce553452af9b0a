"""What travels through the pipelines: a command on the action side, a transition on the environment side."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.robot.drivers import ArmReading
from workers.robot.figures import Floats

Action = NDArray[np.float32]  # [4]: dx, dy, dz in [-1, 1], gripper command
Picture = NDArray[np.uint8]  # [H, W, 3]


class GripperCommand(IntEnum):
    """The fourth element of an action."""

    CLOSE = 0
    STAY = 1
    OPEN = 2


STAY_ACTION = (0.0, 0.0, 0.0, float(GripperCommand.STAY))


class Judgement(StrEnum):
    """A person's verdict on the running episode."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(slots=True)
class Command:
    """One instruction: the action of a whole period, or a part of one in the middle of it (a key press)."""

    action: Action
    human: Action | None = None  # replaces `action` when given


@dataclass(slots=True)
class Period:
    """What one period came to. Action steps write it; the environment and its steps read it."""

    goal_deg: Floats  # [6] joint target so far
    gripper_goal_pct: float  # commanded jaw opening so far
    gripper_goal_before_pct: float  # and at the start of the period
    executed: Action = field(default_factory=lambda: np.array(STAY_ACTION, np.float32))
    is_intervention: bool = False


@dataclass(slots=True)
class Transition:
    """One observation on its way to the policy, with the outcome of the period that led to it."""

    reading: ArmReading
    frames: dict[str, Picture]
    period: Period
    observation: dict[str, NDArray[Any]] = field(default_factory=dict)
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = field(default_factory=dict)

    def add_state(self, values: Floats) -> None:
        """Append scaled values to `observation.state` float32 [N]."""
        state = self.observation.get("observation.state")
        piece = values.astype(np.float32)
        self.observation["observation.state"] = piece if state is None else np.concatenate((state, piece))
