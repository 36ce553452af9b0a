"""The hand of a scripted person: from a wanted movement to an action, not quite exactly."""

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import Floats

Vector = tuple[float, float, float]


class Hand:
    """Moves in steps of limited size, with noise when asked for.

    Args:
        step_sizes_m: metres along x, y, z for an action of 1.
        max_gripper_pos: opening of the command "open", percent.
        noise: standard deviation added to dx, dy, dz, in action units, drawn from `rng`.
        use_gripper: whether actions have a gripper command.
    """

    def __init__(
        self,
        step_sizes_m: Vector = (0.02, 0.02, 0.02),
        max_gripper_pos: float = 40.0,
        noise: float = 0.0,
        rng: np.random.Generator | None = None,
        use_gripper: bool = True,
    ) -> None:
        self.step_sizes_m = np.array(step_sizes_m)
        self.open_pct = max_gripper_pos
        self._noise, self._rng = noise, rng or np.random.default_rng(0)
        self._use_gripper = use_gripper

    def action(self, move_m: Floats, gripper: GripperCommand) -> Action:
        """The action float32 [4] ([3] without gripper) that moves by `move_m` [3], or as far as a step goes."""
        delta = move_m / self.step_sizes_m
        if self._noise > 0.0:
            delta = delta + self._rng.normal(0.0, self._noise, 3)
        motion = np.clip(delta, -1.0, 1.0)
        return np.array([*motion, gripper] if self._use_gripper else motion, np.float32)
