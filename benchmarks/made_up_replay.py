"""Transitions of noise with two 128x128 cameras, as the learner's benchmarks need them."""

import numpy as np

from workers.learner.pictures import Pictures
from workers.learner.replay import Replay
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
EPISODE = 201


def filled_replay(
    rng: np.random.Generator,
    storage_device: str = "cpu",
    pictures: Pictures | None = None,
    capacity: int = 250,
    compiles: bool = False,
) -> Replay:
    """200 online and 200 offline transitions."""
    replay = Replay(FEATURES, capacity, capacity, storage_device, pictures, compiles)
    for number in range(2 * EPISODE):
        replay.add(made_up_step(rng, number))
    return replay


def made_up_step(rng: np.random.Generator, number: int) -> Step:
    """The first episode of steps are demonstrations."""
    return Step(
        episode=number // EPISODE,
        step=number % EPISODE,
        state=rng.normal(size=FEATURES.state_dim).astype(np.float32),
        images=rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8),
        action=np.append(rng.uniform(-1, 1, 3), number % 3).astype(np.float32),
        reward=0.0,
        terminated=False,
        truncated=False,
        is_demonstration=number < EPISODE,
    )
