"""What a scripted person sees, and what every script offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workers.processors.transition import Action
from workers.robot.figures import Floats


@dataclass(frozen=True, slots=True)
class TaskView:
    """The table at one moment; positions [3] in metres, base frame."""

    object_position_m: Floats
    goal_position_m: Floats
    ee_position_m: Floats
    gripper_pct: float  # measured opening

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "TaskView":
        """From the info of a simulated environment's observation."""
        return cls(
            info["object_position_m"], info["goal_position_m"], info["ee_position_m"], info["gripper_pct"]
        )


class Script(Protocol):
    """One task as a person would do it; a pure function of what it is shown, plus its hand's noise."""

    def action(self, scene: TaskView) -> Action:
        """What to do next."""
        ...

    def remaining_m(self, scene: TaskView) -> float:
        """How much of the task is left, in metres of travel. Falls while things go well."""
        ...

    def nearly_done(self, scene: TaskView) -> bool:
        """Whether the difficult part is over: a moment at which to let a policy go on."""
        ...
