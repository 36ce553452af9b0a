"""TimeLimitProcessor: ends an episode after exactly N steps."""

from workers.processors.transition import Transition


class TimeLimitProcessor:
    """Truncates at step `max_episode_steps`, unless it terminated there. Resets do not count."""

    def __init__(self, max_episode_steps: int) -> None:
        self._limit = max_episode_steps
        self._steps = -1

    def reset(self) -> None:
        self._steps = -1  # the reset observation passes through as well

    def __call__(self, transition: Transition) -> None:
        self._steps += 1
        if self._steps >= self._limit and not transition.terminated:
            transition.truncated = True
