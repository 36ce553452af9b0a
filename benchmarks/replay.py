"""Memory of a filled replay by the operating system's count, the time to feed and to draw, and to feed while drawing.

Run: python -m benchmarks.replay [--transitions N] [--episode-length L] [--batch B] [--feature-replay K] [--json FILE]
With --feature-replay it keeps the features of a frozen ResNet-10 for K shifts of each frame.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks import as_json
from benchmarks.made_up_replay import FEATURES, made_up_step
from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.encoders import ObservationEncoder
from workers.learner.feature_maps import feature_maps
from workers.learner.memory import frame_bytes
from workers.learner.pictures import Pictures
from workers.learner.replay import Replay, frame_slots
from workers.transport.record import EpisodeEnd, Outcome

FLOAT_BYTES_WITH_BOTH_OBSERVATIONS = 786_602
"""LeRobot's buffer per transition: float32, observation and next observation both stored."""
HZ = 30


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def store(policy: PolicyConfig, slots: int) -> Pictures | None:
    """The features that `policy` asks for, of a backbone that has already taken its memory; None for pictures."""
    if not policy.feature_replay:
        return None
    encoder = ObservationEncoder(FEATURES, policy, pretrained=False)
    cpu = torch.device("cpu")
    return feature_maps(encoder, FEATURES, policy, AlgorithmConfig(), slots=slots, seed=0, device=cpu)


def fill(replay: Replay, transitions: int, episode_length: int) -> float:
    """Feed steps until `transitions` are held; mean time of one record in us."""
    images = np.random.default_rng(0).integers(0, 255, FEATURES.image_shape, dtype=np.uint8)
    state = np.zeros(FEATURES.state_dim, np.float32)
    records, start, episode = 0, time.perf_counter(), 0
    while replay.online_size + replay.demonstration_size < transitions:
        for step in range(episode_length):
            replay.add(made_up_step(episode, step, images, is_intervention=episode % 3 == 0))
        replay.add(EpisodeEnd(episode=episode, outcome=Outcome.TIME_LIMIT, state=state, images=images))
        episode += 1
        records += episode_length + 1
    return 1e6 * (time.perf_counter() - start) / records


def times_ms(work: Callable[[], object], repeats: int = 25) -> list[float]:
    """Of each call, shortest first."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def feeding_while_drawing_ms(replay: Replay, batch: int, seconds: float = 3.0) -> list[float]:
    """Of each record that arrives at 30 Hz, between batches that are drawn as fast as they can be."""
    rng, images = np.random.default_rng(1), np.zeros(FEATURES.image_shape, np.uint8)
    times, due = [], time.perf_counter()
    for number in range(int(seconds * HZ)):
        due += 1 / HZ
        while time.perf_counter() < due:
            replay.sample(batch, 0.5, rng)
        start = time.perf_counter()
        replay.add(made_up_step(10**6, number, images))
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--transitions", type=int, default=8000)
    parser.add_argument("--episode-length", type=int, default=20)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--feature-replay", type=int, default=0, metavar="K")
    as_json.add_option(parser)
    options = parser.parse_args()
    encoder = "resnet10" if options.feature_replay else "cnn"
    policy = PolicyConfig(vision_encoder_name=encoder, feature_replay=options.feature_replay)
    offline = options.transitions // 2
    pictures = store(policy, frame_slots(options.transitions, offline))
    before = resident_bytes()
    replay = Replay(FEATURES, options.transitions, offline, pictures=pictures)
    feed_us = fill(replay, options.transitions, options.episode_length)
    held = replay.online_size
    per_transition = (resident_bytes() - before) / held
    rng = np.random.default_rng(0)
    draws = times_ms(lambda: replay.sample(options.batch, 0.5, rng))
    fed = feeding_while_drawing_ms(replay, options.batch)
    print(
        f"{held} online transitions, {replay.offline_size} of them also offline,"
        f" episodes of {options.episode_length}"
    )
    print(
        f"resident bytes per transition   {per_transition:10,.0f}   (frame {frame_bytes(FEATURES, policy):,};"
    )
    print(f"{'':45s}float32 with both observations {FLOAT_BYTES_WITH_BOTH_OBSERVATIONS:,})")
    print(f"feeding one record              {feed_us:10.0f} us")
    print(
        f"  at 30 Hz while drawing, p50, p99 {fed[len(fed) // 2]:7.2f} ms, {fed[int(0.99 * len(fed))]:.2f} ms"
    )
    print(f"drawing {options.batch}, shifted, best, median {draws[0]:6.1f} ms, {draws[12]:.1f} ms")
    figures = {
        "resident_bytes_per_transition": per_transition,
        "frame_bytes": frame_bytes(FEATURES, policy),
        "feed_us": feed_us,
        "feed_at_30_hz_while_drawing_p50_ms": fed[len(fed) // 2],
        "feed_at_30_hz_while_drawing_p99_ms": fed[int(0.99 * len(fed))],
        "draw_best_ms": draws[0],
        "draw_median_ms": draws[12],
    }
    as_json.write(options, figures)


if __name__ == "__main__":
    main()
