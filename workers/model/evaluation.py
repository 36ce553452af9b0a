"""Evaluation: trials of a policy alone, as they are kept in a file and told to the consoles.

The trials are what happened; every figure (`evaluation_figures`) is worked out from them.
"""

import msgspec

FORMAT = 1
SHORT = 12  # hexadecimal digits by which people tell weights apart
SIDES = ("A", "B")


def side_of(number: int, sides: int) -> int:
    """Which of `sides` policies drives trial `number`: they take turns in pairs, A B, B A, A B, ...

    So what drifts (light, wear, a tired person) meets both alike.
    """
    pair, place = divmod(number, sides)
    return sides - 1 - place if pair % 2 else place


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is tried."""

    label: str
    """What people call it: step-00012000, policy 38."""
    source: str
    """The checkpoint, folder or run that it was read from."""
    run: str
    """The run that trained it."""
    policy_version: int
    updates: int | None = None
    """Critic updates done; None where nobody knows."""
    digest: str
    """SHA-256 of its tensors, in hexadecimal; see `workers.learner.weights_digest`."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of an evaluation."""

    number: int
    """From 0. A trial that did not count is repeated under its number, with its seed."""
    side: int = 0
    """0 for A, 1 for B."""
    seed: int
    """Of the start: scene and pose in simulation."""
    counted: bool
    why: str = ""
    """Why it does not count."""
    success: bool
    ended_by: str
    """An `EndedBy`."""
    decided_by: str
    """Who said so: task, person, classifier, time limit; "" of a trial that does not count."""
    steps: int
    seconds: float
    """From the first observation to the last: without the way to the start."""
    ended_s: float
    """Wall clock, seconds since 1970."""
    pictures: dict[str, tuple[str, str]] = {}
    """File names of the first and the last picture of each camera, as the policy saw them."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation has come to; contents of result.json."""

    format: int = FORMAT
    folder: str
    """Where it lies."""
    run: str
    """The run that it belongs to."""
    task: str
    began_s: float
    """Wall clock, seconds since 1970."""
    wanted: int
    """Trials of each policy."""
    seed: int
    """The seeds of the trials come from it."""
    simulated: bool
    contestants: tuple[Contestant, ...]
    trials: tuple[Trial, ...] = ()
    ended: str = ""
    """How it ended; "" while it goes on, and for ever when it was cut off."""
    complete: bool = False
    """Whether every trial that was wanted was made."""
