"""GripperPenaltyProcessor: a price on opening and closing, for the discrete gripper critic."""

from workers.config import EnvConfig
from workers.processors.features import PENALTY, Features, scalar
from workers.processors.transition import Transition


class GripperPenaltyProcessor:
    """`info["discrete_penalty"]` is the penalty on exactly the steps that change the commanded jaw goal, else 0."""

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty

    def reset(self) -> None:
        """Nothing to forget."""

    def change(self, env: EnvConfig) -> None:
        """Another price from the next step on."""
        self._penalty = env.processor.gripper.gripper_penalty

    def features(self, features: Features) -> Features:
        return {**features, PENALTY: scalar("float32")}

    def __call__(self, transition: Transition) -> None:
        period = transition.period
        changed = period.gripper_goal_pct != period.gripper_goal_before_pct
        transition.info["discrete_penalty"] = self._penalty if changed else 0.0
