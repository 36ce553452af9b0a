"""The scripted person (simulation only): demonstrates, watches the policy, takes over when it is stuck, hands back.

It sees the simulator's ground truth, as a person sees the table; the policy never does.
"""

import numpy as np

from workers.model.events import EpisodeKind
from workers.processors.transition import Action
from workers.teleop.scripts import Clumsy, Script, TaskView

LEAST_PROGRESS_M = 0.004  # less is standing still
LONGEST_HELP_STEPS = 12  # then the policy may try again
_ROUNDING = 1e-9
HAND_BACK = 0.5  # probability of letting the policy finish when the difficult part is over


class ScriptedOperator:
    """Decides when to take over, and what to do then.

    Args:
        patience_steps: steps without progress before it takes over.
        script: what it does when it drives.
        rng: source of its moods: which episodes it watches, when it hands back.
        clumsy: what it does in a demonstration that is to fail.
        failures: share of its demonstrations that fail, evenly among the others.
    """

    def __init__(
        self,
        patience_steps: int,
        script: Script,
        rng: np.random.Generator,
        clumsy: Clumsy | None = None,
        failures: float = 0.0,
    ) -> None:
        self._patience_steps = patience_steps
        self._script, self._clumsy = script, clumsy
        self._rng = rng
        self._failures, self._failures_due = failures, 0.0
        self._fails = False
        self.attendance = 1.0
        """Probability of watching an episode of training."""
        self._always = False
        self._watching = False
        self._driving = False
        self._least_m = np.inf
        self._stuck_steps = 0
        self._helped_steps = 0

    def begin_episode(self, kind: EpisodeKind) -> None:
        self._always = kind in (EpisodeKind.DEMONSTRATION, EpisodeKind.SURVEY)
        self._watching = kind is EpisodeKind.TRAINING and self._rng.random() < self.attendance
        self._driving = False
        self._least_m = np.inf
        self._stuck_steps = 0
        self._helped_steps = 0
        self._fails = kind is EpisodeKind.DEMONSTRATION and self._fails_now()

    def wants_control(self, scene: TaskView) -> bool:
        """Look at the table before a step: drive it, or leave it to the policy?"""
        if self._always or not self._watching:
            return self._always
        left_m = self._script.remaining_m(scene)
        if left_m < self._least_m - LEAST_PROGRESS_M:
            self._least_m = left_m
            self._stuck_steps = 0
        else:
            self._stuck_steps += 1
        if self._driving:
            self._helped_steps += 1
            tired = self._helped_steps >= LONGEST_HELP_STEPS
            trusting = self._script.nearly_done(scene) and self._rng.random() < HAND_BACK
            if tired or trusting:
                self._driving = False
                self._stuck_steps = 0
        elif self._stuck_steps >= self._patience_steps:
            self._driving = True
            self._helped_steps = 0
        return self._driving

    def action(self, scene: TaskView) -> Action:
        """float32 [4] or [3], what it does this step."""
        if self._fails and self._clumsy is not None:
            return self._clumsy.action(scene)
        return self._script.action(scene)

    def _fails_now(self) -> bool:
        """Whether the demonstration that begins is one of those that fail."""
        self._failures_due += self._failures
        due = self._failures_due > 1.0 - _ROUNDING
        if due and self._clumsy is not None:
            self._failures_due -= 1.0
            self._clumsy.begin()
        return due
