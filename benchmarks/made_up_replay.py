"""Transitions of noise with two 128x128 cameras, as the learner's benchmarks need them."""

import numpy as np
from numpy.typing import NDArray

from workers.learner.pictures import Pictures
from workers.learner.replay import Replay
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
EPISODE = 201
STILL_STATE = np.zeros(FEATURES.state_dim, np.float32)
NO_ACTION = np.zeros(FEATURES.action_dim, np.float32)


def filled_replay(
    rng: np.random.Generator,
    storage_device: str = "cpu",
    pictures: Pictures | None = None,
    capacity: int = 250,
) -> Replay:
    """200 online and 200 offline transitions."""
    replay = Replay(FEATURES, capacity, capacity, storage_device, pictures)
    for number in range(2 * EPISODE):
        images = rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8)
        state = rng.normal(size=FEATURES.state_dim).astype(np.float32)
        action = np.append(rng.uniform(-1, 1, 3), number % 3).astype(np.float32)
        demonstrated = number < EPISODE
        replay.add(made_up_step(number // EPISODE, number % EPISODE, images, state, action, demonstrated))
    return replay


def made_up_step(
    episode: int,
    step: int,
    images: NDArray[np.uint8],
    state: NDArray[np.float32] = STILL_STATE,
    action: NDArray[np.float32] = NO_ACTION,
    is_demonstration: bool = False,
    is_intervention: bool = False,
) -> Step:
    """A step in the middle of an episode."""
    return Step(
        episode=episode,
        step=step,
        state=state,
        images=images,
        action=action,
        reward=0.0,
        terminated=False,
        truncated=False,
        is_demonstration=is_demonstration,
        is_intervention=is_intervention,
    )
