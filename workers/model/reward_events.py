"""Events about the reward classifier: what it says, what it decided, and what a person made of that."""

from enum import StrEnum

import msgspec

from workers.model.event import Event


class DecidedBy(StrEnum):
    """Who decided how an episode ended."""

    NOBODY = ""  # the time limit, or a stop
    PERSON = "person"
    CLASSIFIER = "classifier"
    TASK = "task"  # the simulator, or the Gymnasium environment itself


class Settled(StrEnum):
    """What became of a success that the classifier decided."""

    STANDS = "stands"  # nobody objected in time
    CONFIRMED = "confirmed"  # a person said success too
    VETOED = "vetoed"  # no reward, and the episode goes on
    FAILED = "failed"  # a person said failure: no reward, and the episode is over
    DROPPED = "dropped"  # a person wants the episode recorded again
    BROKEN_OFF = "broken off"  # a stop or a pause came first: no reward


OBJECTIONS = (Settled.VETOED, Settled.FAILED)
"""A person said that the classifier was wrong."""


class ClassifierUsed(msgspec.Struct, frozen=True):
    """The reward classifier of a run, as it is configured."""

    name: str  # its directory or id on the hub
    threshold: float
    votes: int
    window: int  # steps
    veto_s: float = 0.0
    decides: bool = True
    """False: what it says is shown, and decides nothing."""
    stand_in: bool = False
    """True of the simulator's own verdict, given as a probability: there is no classifier."""


class SuccessDecided(Event, frozen=True):
    """The classifier decided success; until `until_s` (monotonic) a person may object. The arm holds."""

    episode: int
    step: int
    probability: float
    votes: int
    until_s: float


class SuccessSettled(Event, frozen=True):
    """The time to object is over, or was used."""

    episode: int
    step: int
    settled: Settled


class HardNegativesSaved(Event, frozen=True):
    """Frames in which the classifier was wrong are in a dataset, with reward 0."""

    episode: int  # of the run
    frames: int
    root: str
    total_frames: int


class ClassifierExamined(Event, frozen=True):
    """What the classifier says of frames right after a reset, in which there is no success."""

    probabilities: tuple[float, ...]
    threshold: float
    folder: str = ""
    """Where the numbers and the pictures are."""

    @property
    def fired(self) -> int:
        """Frames that it takes for a success."""
        return sum(p >= self.threshold for p in self.probabilities)

    @property
    def highest(self) -> float:
        return max(self.probabilities, default=0.0)
