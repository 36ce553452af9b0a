"""Memory of a filled replay by the operating system's count, and the time to feed and draw.

Run: python -m benchmarks.replay [--transitions N] [--episode-length L]
"""

import argparse
import time
from pathlib import Path

import numpy as np

from workers.learner.memory import frame_bytes
from workers.learner.replay import Replay
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step

FEATURES = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
FLOAT_BYTES_WITH_BOTH_OBSERVATIONS = 786_602
"""LeRobot's buffer per transition: float32, observation and next observation both stored."""


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def fill(replay: Replay, transitions: int, episode_length: int) -> float:
    """Feed steps until `transitions` are held; mean time of one record in us."""
    images = np.random.default_rng(0).integers(0, 255, FEATURES.image_shape, dtype=np.uint8)
    state, action = np.zeros(FEATURES.state_dim, np.float32), np.zeros(FEATURES.action_dim, np.float32)
    records, start, episode = 0, time.perf_counter(), 0
    while replay.online_size + replay.demonstration_size < transitions:
        for step in range(episode_length):
            replay.add(
                Step(
                    episode=episode,
                    step=step,
                    state=state,
                    images=images,
                    action=action,
                    reward=0.0,
                    terminated=False,
                    truncated=False,
                    is_intervention=episode % 3 == 0,
                )
            )
        replay.add(EpisodeEnd(episode=episode, outcome=Outcome.TIME_LIMIT, state=state, images=images))
        episode += 1
        records += episode_length + 1
    return 1e6 * (time.perf_counter() - start) / records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--transitions", type=int, default=8000)
    parser.add_argument("--episode-length", type=int, default=20)
    options = parser.parse_args()
    before = resident_bytes()
    replay = Replay(FEATURES, options.transitions, options.transitions // 2)
    feed_us = fill(replay, options.transitions, options.episode_length)
    held = replay.online_size
    per_transition = (resident_bytes() - before) / held
    rng = np.random.default_rng(0)
    times = []
    for _ in range(25):
        start = time.perf_counter()
        replay.sample(64, 0.5, rng)
        times.append(1e3 * (time.perf_counter() - start))
    print(
        f"{held} online transitions, {replay.offline_size} of them also offline,"
        f" episodes of {options.episode_length}"
    )
    print(f"resident bytes per transition   {per_transition:10,.0f}   (frame {frame_bytes(FEATURES):,};")
    print(f"{'':45s}float32 with both observations {FLOAT_BYTES_WITH_BOTH_OBSERVATIONS:,})")
    print(f"feeding one record              {feed_us:10.0f} us")
    print(f"drawing 64, shifted, median     {sorted(times)[12]:10.1f} ms")


if __name__ == "__main__":
    main()
