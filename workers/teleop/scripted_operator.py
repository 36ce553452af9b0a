"""The scripted person (simulation only): demonstrates, watches the policy, takes over when it is stuck, hands back.

It sees the simulator's ground truth, as a person sees the table; the policy never does.
"""

import numpy as np

from workers.model.events import EpisodeKind
from workers.robot.figures import Floats
from workers.teleop.scripted import PickLiftScript, task_progress_m

LEAST_PROGRESS_M = 0.004  # less is standing still
LONGEST_HELP_STEPS = 12  # then the policy may try again


class ScriptedOperator:
    """Decides when to take over, and what to do then.

    Args:
        patience_steps: steps without progress before it takes over.
        rng: source of its moods: which episodes it watches, when it hands back.
        noise: standard deviation of what its hand adds to a command, in action units.
    """

    def __init__(self, patience_steps: int, rng: np.random.Generator, noise: float) -> None:
        self._patience_steps = patience_steps
        self._rng = rng
        self._script = PickLiftScript(rng=rng, noise=noise)
        self.attendance = 1.0
        """Probability of watching an episode of training."""
        self._watching = False
        self._driving = False
        self._always = False
        self._best_m = -np.inf
        self._stuck_steps = 0
        self._helped_steps = 0

    def begin_episode(self, kind: EpisodeKind) -> None:
        self._script.reset()
        self._always = kind is EpisodeKind.DEMONSTRATION
        watches = kind is EpisodeKind.TRAINING and self._rng.random() < self.attendance
        self._watching = self._always or watches
        self._driving = self._always
        self._best_m = -np.inf
        self._stuck_steps = 0
        self._helped_steps = 0

    def wants_control(self, cube_m: Floats, ee_m: Floats, gripper_pct: float) -> bool:
        """Look at the table before a step: drive it, or leave it to the policy?"""
        if self._always or not self._watching:
            return self._always
        progress_m = task_progress_m(cube_m, ee_m, gripper_pct)
        if progress_m > self._best_m + LEAST_PROGRESS_M:
            self._best_m = progress_m
            self._stuck_steps = 0
        else:
            self._stuck_steps += 1
        if self._driving:
            self._helped_steps += 1
            if self._helped_steps >= LONGEST_HELP_STEPS:
                self._hand_back()
        elif self._stuck_steps >= self._patience_steps:
            self._driving = True
            self._helped_steps = 0
            self._script.reset()
        return self._driving

    def _hand_back(self) -> None:
        self._driving = False
        self._stuck_steps = 0

    def action(self, cube_m: Floats, ee_m: Floats, gripper_pct: float) -> np.ndarray:
        """float32 [4], what it does this step."""
        return self._script.action(cube_m, ee_m, gripper_pct)
