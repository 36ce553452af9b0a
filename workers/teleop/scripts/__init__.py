"""Scripted persons for the simulated tasks: what a competent one would do, and how much of the task is left.

They see the simulator's ground truth, as a person sees the table; the policy never does.
"""

import numpy as np

from workers.robot.tasks import TaskName
from workers.teleop.scripts.clumsy import Clumsy, clumsy_of
from workers.teleop.scripts.hand import Hand, Vector
from workers.teleop.scripts.pick_lift import PickLiftScript
from workers.teleop.scripts.push import PushScript
from workers.teleop.scripts.reach import ReachScript
from workers.teleop.scripts.view import Script, TaskView

_SCRIPTS: dict[TaskName, type[ReachScript] | type[PushScript] | type[PickLiftScript]] = {
    "reach": ReachScript,
    "push": PushScript,
    "pick_lift": PickLiftScript,
}


def script_of(
    task: TaskName,
    step_sizes_m: Vector,
    max_gripper_pos: float,
    noise: float,
    rng: np.random.Generator,
    use_gripper: bool = True,
) -> Script:
    """The script of a task, for the action of `env.processor`; `noise` as `Hand` has it."""
    return _SCRIPTS[task](Hand(step_sizes_m, max_gripper_pos, noise, rng, use_gripper))


__all__ = [
    "Clumsy",
    "Hand",
    "PickLiftScript",
    "PushScript",
    "ReachScript",
    "Script",
    "TaskView",
    "clumsy_of",
    "script_of",
]
