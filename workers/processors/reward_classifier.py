"""RewardClassifierProcessor: success by the votes of a classifier over several steps."""

from typing import Protocol

from workers.config import EnvConfig
from workers.processors.errors import ProcessorError
from workers.processors.features import DECIDER, Features, scalar
from workers.processors.transition import Outcome, Transition
from workers.processors.votes import Votes

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


class NotLoaded:
    """In the place of a trained classifier, in all processes that only describe the pipeline."""

    def __init__(self, name: str) -> None:
        self._name = name

    def success_probability(self, transition: Transition) -> float:
        raise ProcessorError("RewardClassifierProcessor", f"{self._name} was not loaded in this process")


class RewardClassifierProcessor:
    """Success when `votes` of the last `window` steps have a probability of at least `success_threshold`.

    The step that decides gets `success_reward` and ends the episode (`terminate_on_success`); the votes are then
    counted anew. The observation of a reset is looked at and has no vote, and a person's verdict always wins.
    With `decides` false nothing is decided. See `votes` for how many it takes, and why.

    Info: `success_probability`, `success_votes` (of the newest steps, this one included), `success_vote` (of this
    step), and where it decided, `decided_by` = "classifier" and `without_decision`, an `Outcome`.
    """

    def __init__(
        self,
        model: RewardModel,
        success_threshold: float,
        success_reward: float,
        votes: int,
        window: int,
        terminate_on_success: bool,
        decides: bool = True,
    ) -> None:
        self.model = model
        self._threshold, self._reward = success_threshold, success_reward
        self._votes = Votes(votes, window)
        self._terminate, self._decides = terminate_on_success, decides

    def reset(self) -> None:
        self._votes.clear()

    def change(self, env: EnvConfig) -> None:
        """Decide by other figures from the next step on; the votes so far count."""
        classifier = env.processor.reward_classifier
        if classifier is not None:
            self._threshold, self._reward = classifier.success_threshold, classifier.success_reward

    def features(self, features: Features) -> Features:
        return {**features, "info.success_probability": scalar("float32"), DECIDER: scalar("int64")}

    def __call__(self, transition: Transition) -> None:
        info = transition.info
        probability = info["success_probability"] = self.model.success_probability(transition)
        if transition.is_reset:
            return
        info["success_vote"] = probability >= self._threshold
        decided = self._votes.add(info["success_vote"])
        info["success_votes"] = self._votes.count
        if not (decided and self._decides) or transition.period.judgement is not None:
            return
        self._votes.clear()
        info["is_success"], info["decided_by"] = True, "classifier"
        info["without_decision"] = Outcome(transition.reward, transition.terminated, transition.truncated)
        transition.reward = self._reward
        if self._terminate:
            transition.terminated, transition.truncated = True, False
