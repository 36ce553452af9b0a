"""What a scripted person sees of Gymnasium environments that have one: the simulator's ground truth, as `TaskView`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workers.config import EnvConfig
from workers.processors.gymnasium_make import Environment, environment_name
from workers.teleop.scripts.panda_pick_cube import ENVIRONMENT

Truth = Callable[[Environment], Mapping[str, Any]]

_LIFTED_M = 0.12  # the middle of a cube that was lifted by 10 cm
_CLOSED_M, _OPEN_M = 0.0146, 0.0986  # between the finger pads, measured


def panda_pick_cube(env: Environment) -> Mapping[str, Any]:
    """Cube, tool and jaws of gym-hil's pick-and-lift."""
    simulator: Any = env.unwrapped
    data = simulator.data
    cube_m = data.sensor("block_pos").data.copy()
    gap_m = float(np.linalg.norm(data.body("left_pad").xpos - data.body("right_pad").xpos))
    return {
        "object_position_m": cube_m,
        "goal_position_m": np.array([cube_m[0], cube_m[1], _LIFTED_M]),
        "ee_position_m": data.sensor("2f85/pinch_pos").data.copy(),
        "gripper_pct": 100.0 * (gap_m - _CLOSED_M) / (_OPEN_M - _CLOSED_M),
    }


def truth_of(env: EnvConfig) -> Truth | None:
    """What the scripted person looks at; None where the environment has no script."""
    return panda_pick_cube if environment_name(env.id or "") == ENVIRONMENT else None
