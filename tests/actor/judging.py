"""A classifier that says what a test wants, in place of an environment's own."""

from workers.actor.environment import InterventionEnv
from workers.processors.transition import Transition


class Says:
    """Probabilities step by step, over all episodes; the last one from then on. Frames without a step: `at_reset`."""

    def __init__(self, *probabilities: float, at_reset: float = 0.02) -> None:
        self._probabilities, self._at_reset = list(probabilities), at_reset

    def success_probability(self, transition: Transition) -> float:
        if transition.is_reset:
            return self._at_reset
        return self._probabilities.pop(0) if len(self._probabilities) > 1 else self._probabilities[0]


def judged_by(env: InterventionEnv, model: Says) -> None:
    assert env.pipelines.classifier is not None
    env.pipelines.classifier.model = model
