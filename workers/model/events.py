"""Events: everything that happened, as frozen types.

Workers emit them, the station folds them into its `ConsoleState` and hands them on to the consoles, which
fold the same ones. Times are seconds on the robot PC's monotonic clock unless a name says otherwise.
"""

from enum import StrEnum

from workers.model.camera_events import CameraJudged as CameraJudged
from workers.model.classifier_events import ClassifierFailed as ClassifierFailed
from workers.model.classifier_events import ClassifierProgress as ClassifierProgress
from workers.model.classifier_events import ClassifierReported as ClassifierReported
from workers.model.classifier_events import ClassifierStarted as ClassifierStarted
from workers.model.dataset_events import DatasetOpened as DatasetOpened
from workers.model.dataset_events import EpisodeSaved as EpisodeSaved
from workers.model.dataset_events import EpisodesListed as EpisodesListed
from workers.model.dataset_events import FrameShown as FrameShown
from workers.model.dataset_events import Looked as Looked
from workers.model.dataset_events import Pixels as Pixels
from workers.model.dataset_events import StoredEpisode as StoredEpisode
from workers.model.driving_events import COOLING as COOLING
from workers.model.driving_events import FIRST_MOTION as FIRST_MOTION
from workers.model.driving_events import GIVEN_BACK as GIVEN_BACK
from workers.model.driving_events import PAUSED as PAUSED
from workers.model.driving_events import SET_UP as SET_UP
from workers.model.driving_events import Driver as Driver
from workers.model.driving_events import DriverChanged as DriverChanged
from workers.model.driving_events import OperatorChanged as OperatorChanged
from workers.model.driving_events import PauseChanged as PauseChanged
from workers.model.driving_events import ScriptChanged as ScriptChanged
from workers.model.driving_events import SeatChanged as SeatChanged
from workers.model.evaluation_events import EvaluationBegan as EvaluationBegan
from workers.model.evaluation_events import EvaluationEnded as EvaluationEnded
from workers.model.evaluation_events import EvaluationProgress as EvaluationProgress
from workers.model.evaluation_events import TrialEnded as TrialEnded
from workers.model.evaluation_events import TrialKept as TrialKept
from workers.model.event import Event as Event
from workers.model.link_events import ActorSeen as ActorSeen
from workers.model.link_events import ActorsSeen as ActorsSeen
from workers.model.link_events import Evaluated as Evaluated
from workers.model.link_events import Invited as Invited
from workers.model.link_events import LearnWished as LearnWished
from workers.model.link_events import LinkChanged as LinkChanged
from workers.model.link_events import LinkState as LinkState
from workers.model.reward_events import OBJECTIONS as OBJECTIONS
from workers.model.reward_events import ClassifierExamined as ClassifierExamined
from workers.model.reward_events import ClassifierUsed as ClassifierUsed
from workers.model.reward_events import DecidedBy as DecidedBy
from workers.model.reward_events import HardNegativesSaved as HardNegativesSaved
from workers.model.reward_events import Settled as Settled
from workers.model.reward_events import SuccessDecided as SuccessDecided
from workers.model.reward_events import SuccessSettled as SuccessSettled
from workers.model.settings_events import SettingChange as SettingChange
from workers.model.settings_events import SettingsRead as SettingsRead
from workers.model.survey import Survey


class GateMode(StrEnum):
    """What the safety gate lets through."""

    ENGAGED = "engaged"
    HOLD = "hold"
    PARK = "park"
    STOPPED = "stopped"  # latched: needs an explicit clear
    LIMP = "limp"


class Phase(StrEnum):
    """The part of the recipe that runs now."""

    IDLE = "idle"
    STARTING = "starting"
    RECORDING = "recording"
    TRAINING = "training"
    EVALUATING = "evaluating"
    REPLAYING = "replaying"
    SURVEYING = "surveying"
    FINISHED = "finished"
    STOPPING = "stopping"


class WorkerState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class EpisodeKind(StrEnum):
    DEMONSTRATION = "demonstration"
    TRAINING = "training"
    EVALUATION = "evaluation"
    REPLAY = "replay"  # of a recorded episode; leaves nothing in the log
    SURVEY = "survey"  # free driving without an end; leaves nothing in the log


class EndedBy(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    TIME_LIMIT = "time_limit"
    RERECORD = "rerecord"
    STOP = "stop"


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class RunOpened(Event, frozen=True):
    """A station opened a run; sent first, and again to a console that attaches (inside the snapshot)."""

    run: str
    run_dir: str
    config_path: str
    task: str
    fps: float
    cameras: tuple[str, ...]
    ee_min_m: tuple[float, float, float]
    ee_max_m: tuple[float, float, float]
    online_capacity: int
    offline_capacity: int
    online_ratio: float
    utd_target: float
    demonstrations_wanted: int
    simulated: bool
    has_arm: bool = True
    """False of a Gymnasium environment: there is no workspace, and no gate that would tell of it."""
    trains: bool = True
    """False of a run that only records, replays or evaluates: there is no learner, and no policy of its own."""
    mode: str = "train"
    """What the run is for: train, record, replay, evaluate."""
    continues: bool = False  # an evaluation goes on with one that was cut off
    finds_limits: bool = False
    """True of a run that looks for the workspace: `ee_min_m` and `ee_max_m` are then all that the arm reaches."""
    previews: bool = True  # False where the configuration sends no camera pictures to the consoles
    discount: float = 0.99
    dataset: bool = False
    """True of the pictures of a dataset: there is no run, only something to crop."""
    classifier: ClassifierUsed | None = None
    """The run's reward classifier, if it has one."""
    ends_on_success: bool = True
    """False: success is marked, and the episode goes on; that is how a classifier's data are recorded."""


class PhaseChanged(Event, frozen=True):
    """The recipe moved on. `done` of `total` are episodes, or updates while warming up."""

    phase: Phase
    detail: str = ""
    done: int = 0
    total: int = 0


class ArmMoved(Event, frozen=True):
    """Where the tool point is and what the gate did; sent by the station at the display rate."""

    ee_m: tuple[float, float, float]
    gripper_pct: float
    mode: GateMode
    clipped: tuple[str, ...] = ()
    reason: str = ""
    at_s: float = 0.0
    moving_since_s: float = 0.0  # when the joint command last began to go somewhere: settling is no motion
    unconfirmed: bool = False  # a real arm waits for a person to confirm its first motion


class EpisodeStarted(Event, frozen=True):
    episode: int
    kind: EpisodeKind


class StepTaken(Event, frozen=True):
    episode: int
    step: int
    step_limit: int
    reward: float
    driver: Driver
    success_probability: float | None = None
    """By the reward classifier, of the observation after the step; None where there is no classifier."""
    votes: int = 0
    """For success, among its newest steps."""


class EpisodeEnded(Event, frozen=True):
    """The actor finished an episode; sent once, after its last transition is in the log."""

    episode: int
    kind: EpisodeKind
    reward: float
    steps: int
    steps_by_human: int
    interventions: int
    ended_by: EndedBy
    seconds: float  # from its first step to its last
    policy_version: int = 0
    decided_by: DecidedBy = DecidedBy.NOBODY
    vetoes: int = 0
    """How often a person objected to a success that the classifier decided."""


class Collected(Event, frozen=True):
    """The actor's account of a `Collect` order: `done` of `total` episodes are kept; `finished` ends the order."""

    kind: EpisodeKind
    done: int
    total: int
    finished: bool = False


class BufferFilled(Event, frozen=True):
    """Transitions that can be sampled; offline = demonstrations + interventions."""

    online: int
    offline: int
    demonstrations: int
    interventions: int
    bytes_used: int


class LearnerProgress(Event, frozen=True):
    """Learner counters and newest metrics; `utd` is updates done per environment step received."""

    updates: int
    env_steps: int
    utd: float
    updates_per_s: float
    policy_version: int
    status: str  # a state with its reason: "warm-up 37/100 transitions", "training", "waiting for actor"
    metrics: dict[str, float] = {}


class PolicySwapped(Event, frozen=True):
    """The actor drives with this policy from now on."""

    version: int
    at_s: float


class LoopRate(Event, frozen=True):
    """A loop's own measurement over its last window."""

    worker: str
    hz: float
    period_p50_ms: float
    period_p99_ms: float
    overruns: int  # since the worker started
    stages_ms: dict[str, float] = {}


class WorkerChanged(Event, frozen=True):
    worker: str
    state: WorkerState
    reason: str = ""
    restarts: int = 0
    pid: int = 0


class FramePreview(Event, frozen=True):
    """A small picture for the terminal: `rgb` is height x width x 3 bytes, row by row."""

    camera: str
    width: int
    height: int
    rgb: bytes
    at_s: float = 0.0


class LogLine(Event, frozen=True):
    worker: str
    level: Level
    text: str
    wall_s: float = 0.0


REPLAYED = "actions are replayed; "
"""In the line of a replay's end; how far from the recording the tool went comes after it."""


class StopLatched(Event, frozen=True):
    by: str


class StopCleared(Event, frozen=True):
    by: str


class PolicyPublished(Event, frozen=True):
    """The learner laid a newer policy into the run directory."""

    version: int


class Surveyed(Event, frozen=True):
    """How the search for the workspace stands; a few times a second."""

    survey: Survey


class Recorded(Event, frozen=True):
    """The actor appended to its log; the learner may read on."""


class RunEnded(Event, frozen=True):
    """The recipe is over; the station ends after this. `failed`: something broke, rather than somebody stopped it."""

    reason: str
    succeeded: bool
    failed: bool = False


AnyEvent = (
    RunOpened
    | PhaseChanged
    | ArmMoved
    | DriverChanged
    | OperatorChanged
    | ScriptChanged
    | SeatChanged
    | PauseChanged
    | EpisodeStarted
    | StepTaken
    | EpisodeEnded
    | SuccessDecided
    | SuccessSettled
    | HardNegativesSaved
    | ClassifierExamined
    | Collected
    | DatasetOpened
    | EpisodeSaved
    | BufferFilled
    | LearnerProgress
    | PolicySwapped
    | LoopRate
    | WorkerChanged
    | FramePreview
    | CameraJudged
    | Looked
    | EpisodesListed
    | FrameShown
    | LogLine
    | StopLatched
    | StopCleared
    | EvaluationProgress
    | EvaluationBegan
    | TrialEnded
    | TrialKept
    | EvaluationEnded
    | PolicyPublished
    | LinkChanged
    | ActorsSeen
    | LearnWished
    | SettingsRead
    | Evaluated
    | Invited
    | Surveyed
    | ClassifierStarted
    | ClassifierProgress
    | ClassifierReported
    | ClassifierFailed
    | Recorded
    | RunEnded
)

ReportedEvent = LearnerProgress | BufferFilled | ActorsSeen | LogLine
"""What a learner elsewhere tells the stations of its actors."""
