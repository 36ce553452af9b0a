"""What a pipeline carries, described: names, types and shapes, known before the first observation.

Every step says how it changes the description. The size of the state, the networks' inputs, the log's records
and the columns of a dataset all come from the last line; nobody writes a shape twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

STATE = "observation.state"
IMAGES = "observation.images."
ACTION = "action"
REWARD = "next.reward"
PENALTY = "complementary_info.discrete_penalty"
INTERVENTION = "complementary_info.is_intervention"
DECIDER = "complementary_info.decided_by"
"""Who decided a step's reward or end, as its place in `transport.record.DECIDERS`; of runs with a reward classifier."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One named array."""

    dtype: str  # a numpy name
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()  # of the elements (vectors) or of the axes (pictures)
    device: str = ""  # of a tensor; empty for arrays in memory

    def __str__(self) -> str:
        sides = ", ".join(map(str, self.shape))
        return f"{self.dtype} [{sides}]" + (f" on {self.device}" if self.device else "")


Features = Mapping[str, Feature]


def with_state(features: Features, names: tuple[str, ...]) -> Features:
    """`features` with more elements at the end of the state."""
    before = features.get(STATE, Feature("float32", (0,)))
    together = before.names + names
    return {**features, STATE: Feature("float32", (len(together),), together)}


def scalar(dtype: str) -> Feature:
    """A feature of one element."""
    return Feature(dtype, (1,))


def pictures(features: Features) -> dict[str, Feature]:
    """The pictures among `features`, by camera."""
    return {key.removeprefix(IMAGES): feature for key, feature in features.items() if key.startswith(IMAGES)}


def vector(dtype: str, names: tuple[str, ...]) -> Feature:
    """A feature of named elements."""
    return Feature(dtype, (len(names),), names)
