"""Seeds of scenes: each kind of episode draws from a stream of its own, so that none repeats another's."""

import numpy as np

from workers.model.events import EpisodeKind

SEED_STREAM = {
    EpisodeKind.DEMONSTRATION: 0,
    EpisodeKind.TRAINING: 1,
    EpisodeKind.EVALUATION: 2,
    EpisodeKind.REPLAY: 3,
    EpisodeKind.SURVEY: 4,
}
EXAMINATION_STREAM = 5


def script_noise(run_seed: int, episode: int) -> np.random.Generator:
    """What the scripted person of an actor that begins at this episode is at random."""
    return np.random.default_rng([run_seed, episode])


def episode_seed(run_seed: int, kind: EpisodeKind, number: int) -> int:
    """The seed of episode `number` of its kind."""
    return _drawn(run_seed, SEED_STREAM[kind], number)


def examination_seed(run_seed: int, number: int) -> int:
    """The seed of the scene whose reset frame `number` the reward classifier is asked about."""
    return _drawn(run_seed, EXAMINATION_STREAM, number)


def _drawn(run_seed: int, stream: int, number: int) -> int:
    return int(np.random.SeedSequence([run_seed, stream, number]).generate_state(1)[0] % 2**31)
