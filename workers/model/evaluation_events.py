"""Events of an evaluation: its opening, each of its trials, its end."""

from workers.model.evaluation import Result, Trial
from workers.model.event import Event


class TrialEnded(Event, frozen=True, kw_only=True):
    """From the actor to the station, which keeps the pictures; sent before the `EpisodeEnded` of the same episode.

    Fields as in `Trial`.
    """

    episode: int
    number: int
    side: int
    seed: int
    ended_by: str
    decided_by: str
    reason: str
    """Why it was stopped, "" when it was not."""
    steps: int
    seconds: float
    policy_version: int
    digest: str
    """Of the weights that drove."""
    pictures: dict[str, tuple[bytes, bytes]]
    """PNG of the first and the last picture of each camera."""


class EvaluationBegan(Event, frozen=True):
    result: Result


class TrialKept(Event, frozen=True):
    """A trial is on its way to the disk."""

    trial: Trial


class EvaluationEnded(Event, frozen=True):
    ended: str
    complete: bool


class EvaluationProgress(Event, frozen=True):
    successes: int
    trials: int
    total: int
    policy_version: int
    finished: bool = False
