"""Seeds of episodes: an own one for every run seed, kind and number."""

import numpy as np

from workers.model.events import EpisodeKind

STREAM = {
    EpisodeKind.DEMONSTRATION: 0,
    EpisodeKind.TRAINING: 1,
    EpisodeKind.EVALUATION: 2,
    EpisodeKind.REPLAY: 3,
    EpisodeKind.SURVEY: 4,
}


def episode_seed(run_seed: int, kind: EpisodeKind, number: int) -> int:
    """In [0, 2^31)."""
    entropy = np.random.SeedSequence([run_seed, STREAM[kind], number])
    return int(entropy.generate_state(1)[0] % 2**31)
