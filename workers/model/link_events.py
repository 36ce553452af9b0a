"""Events about a learner elsewhere, and the actors that feed it."""

from enum import StrEnum

import msgspec

from workers.model.event import Event


class LinkState(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"  # lost: tried again by itself, for ever
    REFUSED = "refused"  # the learner said no: somebody has to do something; tried again now and then


class LinkChanged(Event, frozen=True):
    """The link to a learner elsewhere, once a second and whenever its state changes."""

    state: LinkState
    learner: str  # host:port
    reason: str = ""  # why it is not up
    since_s: float = 0.0  # monotonic time since when it is in this state
    backlog: int = 0  # records that are not yet on the learner's disk
    backlog_bytes: int = 0
    records_per_s: float = 0.0  # acknowledged
    bytes_per_s: float = 0.0  # sent
    round_trip_ms: float = 0.0
    policy_wanted: int = 0  # newest version on offer; 0: none, or already here


class ActorSeen(msgspec.Struct, frozen=True):
    """One actor as the learner sees it."""

    actor_id: str
    host: str
    connected: bool
    records: int  # on the learner's disk
    silent_s: float  # since its last message


class ActorsSeen(Event, frozen=True):
    """Every actor that feeds the learner; from a learner that serves over the network."""

    actors: tuple[ActorSeen, ...]


class LearnWished(Event, frozen=True):
    """What the station of one actor wants of the learner, see orders.Learn."""

    actor_id: str
    on: bool
    all_demonstrated: bool
    newest_policy: int = 0


class Evaluated(Event, frozen=True):
    """How the policy did in an evaluation at one actor; said again whenever that one is linked anew."""

    policy_version: int
    successes: int
    trials: int


class Invited(Event, frozen=True):
    """How one more robot PC joins; from the ingest worker to its station, which prints it and never journals it."""

    join: str  # `hilserl-tui join HOST:PORT --pin PIN --token TOKEN`: good once, for ten minutes
    tunnel: str  # the ssh line by which a robot PC reaches a learner that listens on loopback only
