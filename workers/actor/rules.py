"""What an episode of a run may be, and what came of it."""

from dataclasses import dataclass, field

from workers.actor.pictures import Observation
from workers.actor.veto import NO_VETO, VetoRules
from workers.config import Config
from workers.model.events import DecidedBy, EndedBy


@dataclass
class EpisodeResult:
    ended_by: EndedBy
    reward: float = 0.0
    steps: int = 0
    steps_by_human: int = 0
    interventions: int = 0
    reason: str = ""
    """Why the episode was stopped, "" when it was not."""
    succeeded: bool = False
    """The task was done at some step, whether or not the episode ended there."""
    decided_by: DecidedBy = DecidedBy.NOBODY
    """Who decided how it ended: the last who decided anything."""
    driven_s: float = 0.0
    """From the first observation to the last."""
    first: Observation = field(default_factory=dict)
    """What the policy saw first and last; kept of evaluations."""
    last: Observation = field(default_factory=dict)
    vetoes: int = 0
    """How often a person objected to a success that the classifier decided."""


@dataclass(frozen=True)
class Rules:
    """What differs between runs."""

    keep_failures: bool = False
    """A demonstration that failed is kept, as examples of failure."""
    end_on_success: bool = True
    """The success key ends the episode; else it marks steps as success until it is pressed again."""
    keep_first_motion: bool = False
    """The key press that began the episode moves the arm in its first step."""
    success_by_person: bool = False
    """A person may call a trial of the policy alone a success; where the task itself can tell, nobody may."""
    veto: VetoRules = NO_VETO
    """For how long a person may object to the classifier."""

    @classmethod
    def of(cls, config: Config) -> "Rules":
        recording = config.mode == "record"
        return cls(
            keep_failures=recording,
            end_on_success=config.env.processor.reset.terminate_on_success,
            keep_first_motion=recording and config.dataset.start_on_motion,
            success_by_person=not config.simulated,
            veto=VetoRules.of(config),
        )


AS_TRAINED = Rules()
"""Those of a training run."""
