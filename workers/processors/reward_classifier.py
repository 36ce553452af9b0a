"""RewardClassifierProcessor: success by the votes of a classifier over several steps."""

from collections import deque
from typing import Protocol

from workers.config import EnvConfig
from workers.processors.features import Features, scalar
from workers.processors.transition import Transition

_SURE = 0.95  # what the simulator's stand-in says of a success; of anything else, 1 - _SURE


class RewardModel(Protocol):
    """Says how likely an observation shows success."""

    def success_probability(self, transition: Transition) -> float:
        """Probability in [0, 1]; pictures are in `transition.observation`, cropped and resized, uint8."""
        ...


class SimulatedRewardModel:
    """Stand-in on the simulator: its own verdict (`info["task_success"]`), given as a probability."""

    def success_probability(self, transition: Transition) -> float:
        return _SURE if transition.info.get("task_success") else 1.0 - _SURE


class RewardClassifierProcessor:
    """Success when `votes` of the last `window` steps have a probability of at least `success_threshold`.

    The step that decides gets `success_reward` and ends the episode (`terminate_on_success`); the votes are then
    counted anew. The observation of a reset has no vote, and a person's verdict always wins.
    Info: `success_probability`, and `decided_by` = "classifier" where it decided.
    """

    def __init__(
        self,
        model: RewardModel,
        success_threshold: float,
        success_reward: float,
        votes: int,
        window: int,
        terminate_on_success: bool,
    ) -> None:
        self._model = model
        self._threshold, self._reward = success_threshold, success_reward
        self._wanted, self._votes = votes, deque[bool](maxlen=window)
        self._terminate = terminate_on_success

    def reset(self) -> None:
        self._votes.clear()

    def change(self, env: EnvConfig) -> None:
        """Decide by other figures from the next step on; the votes so far count."""
        classifier = env.processor.reward_classifier
        if classifier is not None:
            self._threshold, self._reward = classifier.success_threshold, classifier.success_reward

    def features(self, features: Features) -> Features:
        return {**features, "info.success_probability": scalar("float32")}

    def __call__(self, transition: Transition) -> None:
        if transition.is_reset:
            return
        probability = self._model.success_probability(transition)
        transition.info["success_probability"] = probability
        self._votes.append(probability >= self._threshold)
        if sum(self._votes) < self._wanted or transition.period.judgement is not None:
            return
        self._votes.clear()
        transition.info["is_success"], transition.info["decided_by"] = True, "classifier"
        transition.reward = self._reward
        if self._terminate:
            transition.terminated, transition.truncated = True, False
