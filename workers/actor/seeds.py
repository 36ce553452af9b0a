"""Seeds: every episode of a run has its own scene and noise, the same whenever it is run again."""

import numpy as np

from workers.model.events import EpisodeKind

_STREAM = {
    EpisodeKind.DEMONSTRATION: 0,
    EpisodeKind.TRAINING: 1,
    EpisodeKind.EVALUATION: 2,
    EpisodeKind.REPLAY: 3,
    EpisodeKind.SURVEY: 4,
}


def script_noise(run_seed: int, episode: int) -> np.random.Generator:
    """What the scripted person of an actor that begins at this episode is at random."""
    return np.random.default_rng([run_seed, episode])


def episode_seed(run_seed: int, kind: EpisodeKind, number: int) -> int:
    """The seed of an episode: its own for every run seed, kind and number."""
    entropy = np.random.SeedSequence([run_seed, _STREAM[kind], number])
    return int(entropy.generate_state(1)[0] % 2**31)
