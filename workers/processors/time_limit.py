"""TimeLimitProcessor: ends an episode after exactly N steps of the policy."""

from workers.processors.transition import Transition


class TimeLimitProcessor:
    """Truncates at the `max_episode_steps`-th step, unless it terminated there. Reset observations do not count.

    Nor do steps that a person drives: whoever takes over gets the time they need, and the policy its own.
    """

    def __init__(self, max_episode_steps: int) -> None:
        self._limit = max_episode_steps
        self._steps = -1

    def reset(self) -> None:
        self._steps = -1  # the reset observation passes through as well

    def __call__(self, transition: Transition) -> None:
        if transition.period.is_intervention:
            return
        self._steps += 1
        if self._steps >= self._limit and not transition.terminated:
            transition.truncated = True
