"""Which trial comes next: whose turn it is, and from which start."""

from workers.actor.seeds import episode_seed
from workers.model.evaluation import side_of
from workers.model.events import EpisodeKind
from workers.model.orders import TrialPlan


def schedule(trials: int, sides: int, seed: int) -> list[TrialPlan]:
    """The trials of an evaluation, `trials` of each of `sides` policies; both trials of a pair have the same start."""
    seeds = [episode_seed(seed, EpisodeKind.EVALUATION, pair) for pair in range(trials)]
    starts = [*(start for start in seeds for _ in range(sides)), None]
    return [
        TrialPlan(number, side_of(number, sides), seeds[number // sides], starts[number + 1])
        for number in range(trials * sides)
    ]
