"""Time and arithmetic of one learner update, by part, for the small CNN's variants.

Run: python -m benchmarks.learner [--threads N] [--batch B] [--repeats R]
Networks and updates are those of configs/sim_pick_lift.toml, with the variant's change.
One critic update = draw and shift a batch, encode observation and next observation, critics, gripper critic.
A UTD-2 step = two of them, with actor and temperature on the second.
"""

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from msgspec.structs import replace
from torch.utils.flop_counter import FlopCounterMode

from workers.actor.policy import Policy
from workers.config import AlgorithmConfig, PolicyConfig, load
from workers.learner.memory import tune_allocator
from workers.learner.replay import Replay
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
VARIANTS: dict[str, dict[str, object]] = {
    "cnn, half size (default)": {},
    "cnn, half size, early fusion": {"camera_fusion": "early"},
    "cnn, full size": {"input_downsample": 1},
    "cnn, full size, early fusion": {"input_downsample": 1, "camera_fusion": "early"},
    "resnet10, frozen": {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 8},
}


def filled_replay(rng: np.random.Generator, storage_device: str = "cpu") -> Replay:
    """200 online and 200 offline transitions of noise."""
    replay = Replay(FEATURES, 250, 250, storage_device)
    for number in range(402):
        replay.add(
            Step(
                episode=number // 201,
                step=number % 201,
                state=rng.normal(size=FEATURES.state_dim).astype(np.float32),
                images=rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8),
                action=np.append(rng.uniform(-1, 1, 3), number % 3).astype(np.float32),
                reward=0.0,
                terminated=False,
                truncated=False,
                is_demonstration=number < 201,
            )
        )
    return replay


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Shortest wall time of one call after three warm-up calls, in ms: what other load disturbs least."""
    times = []
    for number in range(repeats + 3):
        start = time.perf_counter()
        work()
        if number >= 3:
            times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def measure(
    name: str, networks: PolicyConfig, updates: AlgorithmConfig, replay: Replay, batch_size: int, repeats: int
) -> None:
    """Print one row."""
    rng = np.random.default_rng(0)
    sac = SAC(FEATURES, networks, updates, seed=0, pretrained=False)
    policy = Policy(FEATURES, networks, updates)
    policy.load(policy_tensors(sac), version=1)
    view = torch.zeros(1, FEATURES.height, FEATURES.width, 3, dtype=torch.uint8)
    seen = {f"observation.images.{camera}": view for camera in FEATURES.cameras}
    seen["observation.state"] = torch.zeros(1, FEATURES.state_dim)
    batch = replay.sample(batch_size, 0.5, rng)
    with FlopCounterMode(display=False) as flops:
        sac.update(batch, with_actor=False)
    draw = best_ms(lambda: replay.sample(batch_size, 0.5, rng), repeats)
    with torch.no_grad():
        encode = best_ms(lambda: sac.encoder(batch.observation), repeats)
    critic = best_ms(lambda: sac.update(batch, with_actor=False), repeats)
    both = best_ms(lambda: sac.update(batch), repeats)
    act = best_ms(lambda: policy.act(seen, False, torch.Generator()), 5 * repeats)
    step = 2 * draw + critic + both
    print(
        f"{name:30s}{flops.get_total_flops() / 1e9:8.2f}{draw:8.1f}{encode:8.1f}{critic:8.1f}"
        f"{both - critic:8.1f}{step:8.1f}{act:8.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tuned = tune_allocator()
    print(
        f"{platform.machine()}, torch {torch.__version__}, {options.threads} thread(s),"
        f" allocator tuned: {tuned}. Batch {options.batch}, two 128x128 cameras. Best of the repeats, in ms."
    )
    heads = "".join(f"{head:>8s}" for head in ("GFLOP", "draw", "encode", "critic", "+actor", "UTD-2", "act"))
    print(f"{'':30s}{heads}")
    replay = filled_replay(np.random.default_rng(0))
    config = load("configs/sim_pick_lift.toml")
    for name, change in VARIANTS.items():
        networks = replace(config.policy, **change)
        repeats = options.repeats if networks.vision_encoder_name == "cnn" else 3
        measure(name, networks, config.algorithm, replay, options.batch, repeats)


if __name__ == "__main__":
    main()
