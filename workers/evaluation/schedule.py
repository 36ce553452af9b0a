"""Which trial comes next: in which order two policies take turns, and from which start."""

from workers.actor.seeds import episode_seed
from workers.model.events import EpisodeKind
from workers.model.orders import TrialPlan


def schedule(trials: int, sides: int, seed: int) -> list[TrialPlan]:
    """The trials of an evaluation, `trials` of each of `sides` policies.

    Two take turns in pairs, A B, B A, A B, ..., so that what drifts (light, wear, a tired person) meets both alike;
    both trials of a pair have the same start.
    """
    seeds = [episode_seed(seed, EpisodeKind.EVALUATION, pair) for pair in range(trials)]
    turns = [(pair, side) for pair in range(trials) for side in _turn(pair, sides)]
    after: list[int | None] = [seeds[pair] for pair, _ in turns[1:]]
    return [
        TrialPlan(number, side, seeds[pair], seed_after)
        for number, ((pair, side), seed_after) in enumerate(zip(turns, [*after, None], strict=True))
    ]


def _turn(pair: int, sides: int) -> list[int]:
    order = list(range(sides))
    return order[::-1] if pair % 2 else order
