"""What travels through the pipelines: a command on the action side, a transition on the environment side."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.processors.errors import ProcessorError
from workers.processors.features import STATE
from workers.robot.drivers import ArmReading
from workers.robot.figures import Floats

Action = NDArray[
    np.float32
]  # [motion (+ 1)]: motion in [-1, 1], then the gripper command where there is a gripper
Picture = NDArray[np.uint8]  # [H, W, 3]


class GripperCommand(IntEnum):
    """The last element of an action, where there is a gripper."""

    CLOSE = 0
    STAY = 1
    OPEN = 2


STAY_ACTION = (0.0, 0.0, 0.0, float(GripperCommand.STAY))


class Judgement(StrEnum):
    """A person's verdict on the running episode."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD = "rerecord"


@dataclass(frozen=True, slots=True)
class Teleop:
    """What the person's device said: an action, a verdict, or both."""

    action: Action | None = None
    judgement: Judgement | None = None


@dataclass(slots=True)
class Command:
    """One instruction: the action of a whole period, or a part of one in the middle of it (a key press)."""

    action: Action
    teleop: Teleop | None = None
    reading: ArmReading | None = None  # newest measurement; there is none without an arm
    complementary_data: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Period:
    """What one period came to. Action steps write it; the environment and its steps read it."""

    executed: Action  # [motion (+ 1)] sum of the commands, as far as they were carried out
    goal_deg: Floats  # [6] joint target so far; [0] without an arm
    gripper_goal_pct: float  # commanded jaw position so far
    gripper_goal_before_pct: float  # and at the start of the period
    commands: int = 0
    is_intervention: bool = False
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Reward and end of a step."""

    reward: float
    terminated: bool
    truncated: bool


@dataclass(slots=True)
class Transition:
    """One observation on its way to the policy, with the outcome of the period that led to it.

    `observation` begins as Gymnasium has it (`agent_pos`, `pixels` by camera, `environment_state`) and ends as it
    is stored (`observation.state` float32 [N], `observation.images.<camera>` uint8 [H, W, 3]).
    """

    observation: dict[str, Any]
    period: Period
    reading: ArmReading | None = None
    is_reset: bool = False  # no step led to it: an episode's first observation, or a look while all rests
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = field(default_factory=dict)
    policy_input: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> ArmReading:
        """The arm's reading, in the steps that only pipelines of arms have."""
        assert self.reading is not None, "this step needs an arm"
        return self.reading

    def add_state(self, step: object, values: Floats, names: tuple[str, ...]) -> None:
        """Append values to `observation.state` float32 [N]. Raises ProcessorError for NaN and infinity."""
        if not np.isfinite(values).all():
            wrong = ", ".join(
                name for name, value in zip(names, values, strict=True) if not np.isfinite(value)
            )
            raise ProcessorError(
                step, f"{wrong}: not a finite number in the observation; is the sensor read?"
            )
        piece = values.astype(np.float32)
        state = self.observation.get(STATE)
        self.observation[STATE] = piece if state is None else np.concatenate((state, piece))
