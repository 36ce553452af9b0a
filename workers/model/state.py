"""ConsoleState: the one truth an operator sees, as nested frozen slices.

A slice that did not change keeps its identity, so a pane compares `old.buffer is not new.buffer`.
"""

import msgspec

from workers.model.classifier_training import ClassifierTraining
from workers.model.evaluation import Result
from workers.model.events import (
    ActorSeen,
    ClassifierExamined,
    ClassifierUsed,
    DecidedBy,
    Driver,
    EndedBy,
    EpisodeKind,
    EpisodeSaved,
    EpisodesListed,
    FramePreview,
    FrameShown,
    GateMode,
    Level,
    LinkChanged,
    Looked,
    Phase,
    RunOpened,
    SettingsRead,
    SuccessDecided,
    SuccessSettled,
    WorkerState,
)
from workers.model.survey import Survey

LOG_LINES_KEPT = 500
EPISODES_KEPT = 500
LINK_REPORTS_KEPT = 10
PROBABILITIES_KEPT = 240  # 24 s at 10 Hz
RESETS_KEPT = 5


class Arm(msgspec.Struct, frozen=True):
    ee_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gripper_pct: float = 0.0
    mode: GateMode = GateMode.HOLD
    clipped: tuple[str, ...] = ()
    reason: str = ""
    at_s: float = 0.0
    moving_since_s: float = 0.0
    unconfirmed: bool = False


class Control(msgspec.Struct, frozen=True):
    """Who drives, and who may."""

    driver: Driver = Driver.NOBODY
    reason: str = ""
    taken: bool = False  # a person has the arm, also between episodes, where nobody drives
    scripted: bool = False
    attached: int = 0
    holder: str = ""
    paused: bool = False
    pause_reason: str = ""
    stopped: bool = False
    stopped_by: str = ""


class Episode(msgspec.Struct, frozen=True):
    """A finished episode."""

    episode: int
    kind: EpisodeKind
    reward: float
    steps: int
    steps_by_human: int
    interventions: int
    ended_by: EndedBy
    seconds: float
    policy_version: int
    decided_by: DecidedBy = DecidedBy.NOBODY
    vetoes: int = 0

    @property
    def success(self) -> bool:
        return self.ended_by is EndedBy.SUCCESS

    @property
    def autonomous(self) -> bool:
        """True when no human step helped."""
        return self.steps_by_human == 0


class Running(msgspec.Struct, frozen=True):
    """The episode that runs now."""

    episode: int = -1
    kind: EpisodeKind = EpisodeKind.TRAINING
    step: int = 0
    step_limit: int = 0
    reward: float = 0.0
    steps_by_human: int = 0
    interventions: int = 0
    positives: int = 0  # steps with a reward above 0
    succeeds: bool = False  # the newest step is one


class Classifier(msgspec.Struct, frozen=True):
    """The run's reward classifier: what it says, and what it decided."""

    used: ClassifierUsed
    probabilities: tuple[float, ...] = ()  # of the episode's steps, newest last, at most PROBABILITIES_KEPT
    at_resets: tuple[float, ...] = ()  # of the first step of episodes, newest last, at most RESETS_KEPT
    votes: int = 0
    pending: SuccessDecided | None = None  # a success that a person may still object to
    settled: SuccessSettled | None = None  # what became of the last one
    vetoes: int = 0  # in this run
    hard_negatives: int = 0  # frames saved
    hard_negatives_root: str = ""
    examined: ClassifierExamined | None = None


class Buffer(msgspec.Struct, frozen=True):
    online: int = 0
    offline: int = 0
    demonstrations: int = 0
    interventions: int = 0
    bytes_used: int = 0


class Dataset(msgspec.Struct, frozen=True):
    """What a recording run has on the disk."""

    root: str
    episodes: int
    frames: int
    through: int = -1  # episodes of the run up to this number were saved or dropped before
    positives: int = 0  # of the frames; counted where success does not end an episode
    saved: dict[int, EpisodeSaved] = {}  # by number in the run; of this station's time


class Learner(msgspec.Struct, frozen=True):
    updates: int = 0
    env_steps: int = 0
    utd: float = 0.0
    updates_per_s: float = 0.0
    policy_version: int = 0
    status: str = "not started"
    metrics: dict[str, float] = {}


class Worker(msgspec.Struct, frozen=True):
    name: str
    state: WorkerState
    reason: str = ""
    restarts: int = 0
    pid: int = 0


class Rate(msgspec.Struct, frozen=True):
    hz: float = 0.0
    period_p50_ms: float = 0.0
    period_p99_ms: float = 0.0
    overruns: int = 0
    stages_ms: dict[str, float] = {}


class Evaluation(msgspec.Struct, frozen=True):
    successes: int
    trials: int
    total: int
    policy_version: int
    finished: bool


class LoggedLine(msgspec.Struct, frozen=True):
    worker: str
    level: Level
    text: str
    wall_s: float


class Progress(msgspec.Struct, frozen=True):
    """Where the recipe is."""

    phase: Phase = Phase.IDLE
    detail: str = ""
    done: int = 0
    total: int = 0
    ended: str = ""  # why the run is over, "" while it goes on
    succeeded: bool = False


class ConsoleState(msgspec.Struct, frozen=True):
    run: RunOpened | None = None
    progress: Progress = Progress()
    arm: Arm = Arm()
    control: Control = Control()
    running: Running = Running()
    classifier: Classifier | None = None
    episodes: tuple[Episode, ...] = ()  # newest last, at most EPISODES_KEPT
    buffer: Buffer = Buffer()
    dataset: Dataset | None = None  # of a run that records one
    learner: Learner = Learner()
    policy_version: int = 0  # what the actor drives with
    policy_at_s: float = 0.0
    workers: dict[str, Worker] = {}
    rates: dict[str, Rate] = {}
    frames: dict[str, FramePreview] = {}
    flaws: dict[str, str] = {}  # of cameras whose picture is unfit to learn from
    looked: Looked | None = None  # what this console last looked at
    stored: EpisodesListed | None = None  # the dataset it is open on
    shown: FrameShown | None = None  # the frame of it that came last
    evaluation: Evaluation | None = None
    result: Result | None = None  # of the evaluation that runs, or ran last
    link: LinkChanged | None = None  # None while the learner runs here
    link_backlogs: tuple[int, ...] = ()  # records, newest last, at most LINK_REPORTS_KEPT; one a second
    link_best_bytes_per_s: float = 0.0  # the link has shown it can
    actors: tuple[ActorSeen, ...] = ()  # all that feed a learner elsewhere
    settings: SettingsRead | None = None  # what the configuration file said when it was read last
    survey: Survey | None = None  # of a run that looks for the workspace
    classifier_training: ClassifierTraining | None = None  # the newest that this console follows
    log: tuple[LoggedLine, ...] = ()  # newest last, at most LOG_LINES_KEPT
