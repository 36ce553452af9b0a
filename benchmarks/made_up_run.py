"""A run with a log of noise, for benchmarks of what a learner does with its log."""

from pathlib import Path

import msgspec
import numpy as np

from workers.config import Config
from workers.config.load import load
from workers.config.ready import ready_config
from workers.processors.build import feature_spec
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, Outcome, Step

EPISODE_STEPS = 100


def made_up_run(folder: Path, pixels: int, capacity: int) -> Config:
    """configs/sim_pick_lift.toml in `folder`: two cameras of `pixels` squared, room for `capacity` in each view."""
    data = msgspec.to_builtins(load(ready_config()))
    data["run"] |= {"directory": str(folder), "name": "run"}
    data["policy"] |= {"online_buffer_capacity": capacity, "offline_buffer_capacity": capacity}
    data["env"]["processor"]["image_preprocessing"]["resize_size"] = [pixels, pixels]
    config = msgspec.convert(data, Config)
    config.run_dir.mkdir(parents=True)
    return config


def write_log(config: Config, transitions: int) -> None:
    """Episodes of 100 steps in pictures of noise; every fifth is a demonstration, the others have interventions."""
    features = feature_spec(config)
    noise = np.random.default_rng(0).integers(0, 255, (64, *features.image_shape), np.uint8)
    state = np.zeros(features.state_dim, np.float32)
    with LogWriter(config.run_dir / "log", features) as log:
        for number in range(transitions):
            episode, step = divmod(number, EPISODE_STEPS)
            log.append(
                Step(
                    episode=episode,
                    step=step,
                    state=state,
                    images=noise[step % len(noise)],
                    action=np.array([0, 0, 0, 1], np.float32),
                    reward=0.0,
                    terminated=False,
                    truncated=False,
                    is_demonstration=episode % 5 == 0,
                    is_intervention=step % 4 == 0,
                )
            )
            if step == EPISODE_STEPS - 1:
                log.append(
                    EpisodeEnd(episode=episode, outcome=Outcome.TIME_LIMIT, state=state, images=noise[0])
                )
