"""TimeLimitProcessor: ends an episode after exactly N steps."""

from workers.config import EnvConfig
from workers.processors.features import Features, scalar
from workers.processors.transition import Transition


def max_steps(env: EnvConfig) -> int:
    """Steps of the policy in an episode: `control_time_s` x `fps`."""
    return max(1, round(env.processor.reset.control_time_s * env.fps))


class TimeLimitProcessor:
    """Truncates at the `max_episode_steps`-th step, unless the episode terminated there.

    The observation of the reset is no step.
    """

    def __init__(self, max_episode_steps: int) -> None:
        self._limit = max_episode_steps
        self._steps = 0

    def reset(self) -> None:
        self._steps = 0

    def change(self, env: EnvConfig) -> None:
        """Another limit, for the running episode too."""
        self._limit = max_steps(env)

    def features(self, features: Features) -> Features:
        return {**features, "next.truncated": scalar("bool")}

    def __call__(self, transition: Transition) -> None:
        if transition.is_reset:
            return
        self._steps += 1
        if self._steps >= self._limit and not transition.terminated:
            transition.truncated = True
