"""Orders: what the station tells a worker, as frozen types."""

import msgspec

from workers.model.commands import AnyCommand
from workers.model.events import EpisodeKind, ReportedEvent


class Order(msgspec.Struct, frozen=True, tag=True):
    """Base of all orders; the wire tag is the class name."""


class Quit(Order, frozen=True):
    """Finish what must be finished and exit."""


class Operate(Order, frozen=True):
    """An operator's command for the actor."""

    command: AnyCommand


class Hold(Order, frozen=True):
    """The station holds the arm for a reason of its own; the operator's pause is another matter."""

    on: bool
    reason: str = ""


class TrialPlan(msgspec.Struct, frozen=True):
    """One trial of an evaluation that tries policies of its own."""

    number: int
    side: int
    """Which of its policies drives."""
    seed: int
    seed_after: int | None = None
    """Of the trial that comes next; None after the last."""


class Collect(Order, frozen=True):
    """Run episodes of one kind, starting with the next episode.

    `episodes` counts kept episodes of that kind in the whole run for demonstrations, episodes from now on for
    evaluation; 0 means without end. `give_up_after` failures end an evaluation early (0: never). With a `trial`
    the one episode is that, with its seed and its policy.
    """

    kind: EpisodeKind
    episodes: int = 0
    give_up_after: int = 0
    trial: TrialPlan | None = None


class Examine(Order, frozen=True):
    """Ask the reward classifier about so many frames right after a reset, before anything else; 0: no more of that.

    Answered with `ClassifierExamined`.
    """

    frames: int


class Rest(Order, frozen=True):
    """Run no episodes after the present one."""


class TakePolicy(Order, frozen=True):
    """A newer policy lies in the run directory."""

    version: int


class Attend(Order, frozen=True):
    """How often the scripted operator should supervise an episode, 0 to 1."""

    probability: float


class Preview(Order, frozen=True):
    """Small pictures wanted by consoles; width 0 stops them."""

    width: int
    height: int
    hz: float


class Learn(Order, frozen=True):
    """The learner may update; without it, it only takes in transitions.

    `all_demonstrated`: no more demonstrations come, so that it clones from what there is.
    `newest_policy`: version that an actor elsewhere has; a learner that began anew numbers its own on from there.
    """

    on: bool
    all_demonstrated: bool = False
    newest_policy: int = 0


class NoteSuccess(Order, frozen=True):
    """What an evaluation said of a policy; the learner keeps its best checkpoint by it."""

    policy_version: int
    successes: int
    trials: int


class ChangeSettings(Order, frozen=True):
    """Settings that are other ones from the next step on, by their dotted keys; all that changed since the start."""

    values: dict[str, bool | int | float | str]


class NewRecords(Order, frozen=True):
    """The actor appended to its log."""


class Invite(Order, frozen=True):
    """For the ingest worker: make a join token and answer with `Invited`; given once when it starts, and when asked."""


class Tell(Order, frozen=True):
    """Pass an event on to the stations of all actors that are linked."""

    event: ReportedEvent


AnyOrder = (
    Quit
    | Operate
    | Hold
    | Collect
    | Examine
    | Rest
    | TakePolicy
    | Attend
    | Preview
    | Learn
    | NoteSuccess
    | ChangeSettings
    | NewRecords
    | Invite
    | Tell
)
