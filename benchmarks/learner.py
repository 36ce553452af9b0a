"""Time of a learner's UTD-2 step on a CPU, by part, beside what the machine could do at best, and beside LeRobot's.

Run: python -m benchmarks.learner [--threads N] [--batch B] [--rounds R] [--peer SITE-PACKAGES] [--json FILE]
All networks have LeRobot's widths. A UTD-2 step = two batches drawn and shifted, two critic updates, with actor and
temperature on the second. "floor" is the larger of its arithmetic at the pace of a large matrix product and its
bytes at that of a large copy, both measured here. "act" is one action of the policy, on one thread.
LeRobot's learner runs in a process of its own, with the allocator as it is, in turns with ours: compare ratios.
With feature replay the time in which frames that arrive at 10 Hz are encoded counts too.
"""

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks import as_json
from benchmarks.floor import gflop_and_mb, machine_rates
from benchmarks.lerobot_step import PeerProcess
from benchmarks.made_up_replay import FEATURES, filled_replay, made_up_step
from workers.actor.policy import Policy
from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.feature_maps import feature_maps
from workers.learner.memory import tune_allocator
from workers.learner.replay import frame_slots
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors

RESNET: dict[str, object] = {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 8}
VARIANTS: dict[str, dict[str, object]] = {
    "small CNN (default)": {},
    "LeRobot's CNN": {"vision_encoder_name": "lerobot_cnn", "image_embedding_pooling_dim": 8},
    "ResNet-10, frozen": RESNET,
    "ResNet-10, feature replay": RESNET | {"feature_replay": 1},
}
ARRIVALS_HZ = 10.0
CAPACITY = 250
TURN_S = 1.0
ACTIONS = 60


@dataclass
class Row:
    """One of our variants: what it costs by part, in ms, and its step."""

    gflop: float
    mb: float
    draw_ms: float
    encode_ms: float
    critic_ms: float
    actor_ms: float
    act_ms: float
    frame_ms: float
    """To encode a frame that arrives; 0 without feature replay."""
    step: Callable[[], object]


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Shortest wall time of one call after three warm-up calls, in ms: what other load disturbs least."""
    times = []
    for number in range(repeats + 3):
        start = time.perf_counter()
        work()
        if number >= 3:
            times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def measure(change: dict[str, object], batch_size: int, repeats: int) -> Row:
    """Every part of one variant."""
    rng, networks, updates = np.random.default_rng(0), PolicyConfig(**change), AlgorithmConfig(bc_weight=0.0)  # type: ignore[arg-type]
    sac = SAC(FEATURES, networks, updates, seed=0, pretrained=False)
    slots, cpu = frame_slots(CAPACITY, CAPACITY), torch.device("cpu")
    maps = feature_maps(sac.encoder, FEATURES, networks, updates, slots=slots, seed=0, device=cpu)
    replay = filled_replay(rng, pictures=maps, capacity=CAPACITY)

    def step() -> None:
        sac.update(replay.sample(batch_size, 0.5, rng), with_actor=False)
        sac.update(replay.sample(batch_size, 0.5, rng), with_actor=True)

    batch = replay.sample(batch_size, 0.5, rng)
    learned = sum(
        tensor.numel() for one in sac.optimisers.values() for tensor in one.param_groups[0]["params"]
    )
    drawn = 2 * sum(tensor.nbytes for tensor in batch.tensors())
    gflop, mb = gflop_and_mb(step, drawn, 2 * learned)
    with torch.no_grad():
        encode = best_ms(lambda: sac.encoder(batch.observation), repeats)
    critic = best_ms(lambda: sac.update(batch, with_actor=False), repeats)
    arriving = made_up_step(0, 5, rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8))
    return Row(
        gflop=gflop,
        mb=mb,
        draw_ms=best_ms(lambda: replay.sample(batch_size, 0.5, rng), repeats),
        encode_ms=encode,
        critic_ms=critic,
        actor_ms=best_ms(lambda: sac.update(batch), repeats) - critic,
        act_ms=act_ms(sac, networks, updates, ACTIONS),
        frame_ms=best_ms(lambda: replay.add(arriving), 20) if maps else 0.0,
        step=step,
    )


def act_ms(sac: SAC, networks: PolicyConfig, updates: AlgorithmConfig, repeats: int) -> float:
    """One action of the policy on one thread, as the actor has it."""
    policy = Policy(FEATURES, networks, updates)
    policy.load(policy_tensors(sac), version=1)
    view = torch.zeros(1, FEATURES.height, FEATURES.width, 3, dtype=torch.uint8)
    seen = {f"observation.images.{camera}": view for camera in FEATURES.cameras}
    seen["observation.state"] = torch.zeros(1, FEATURES.state_dim)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    best = best_ms(lambda: policy.act(seen, False, torch.Generator()), repeats)
    torch.set_num_threads(threads)
    return best


def in_turns(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median seconds of a step of each; all have their turn in every round, so that all meet the same machine."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):  # the first is a warm-up
        for name, one in contestants.items():
            spent = 0.0
            while spent < TURN_S:
                took = one()
                spent += took
                if number:
                    taken[name].append(took)
    return {name: float(np.median(times)) for name, times in taken.items()}


def timed(step: Callable[[], object]) -> Callable[[], float]:
    """Seconds of one call."""

    def run() -> float:
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    return run


def with_arrivals(step_s: float, frame_ms: float) -> float:
    """Seconds a step when frames that arrive at 10 Hz are encoded in between."""
    return step_s / max(1e-9, 1 - ARRIVALS_HZ * frame_ms / 1e3)


def table(
    rows: dict[str, Row], steps_s: dict[str, float], rates: tuple[float, float]
) -> dict[str, dict[str, float]]:
    """Print ours, and return it as figures."""
    heads = (
        "GFLOP",
        "MB",
        "floor",
        "UTD-2",
        "of floor",
        "draw",
        "encode",
        "critic",
        "+actor",
        "frame",
        "act",
    )
    print(f"{'':27s}" + "".join(f"{head:>9s}" for head in heads))
    figures = {}
    for name, row in rows.items():
        floor_ms = max(row.gflop / rates[0], row.mb / 1e3 / rates[1]) * 1e3
        step_ms = 1e3 * with_arrivals(steps_s[name], row.frame_ms)
        parts = (row.draw_ms, row.encode_ms, row.critic_ms, row.actor_ms, row.frame_ms, row.act_ms)
        print(
            f"{name:27s}{row.gflop:9.1f}{row.mb:9.0f}{floor_ms:9.1f}{step_ms:9.1f}{floor_ms / step_ms:9.0%}"
            + "".join(f"{part:9.2f}" for part in parts)
        )
        figures[name] = {
            "gflop": row.gflop,
            "mb": row.mb,
            "floor_ms": floor_ms,
            "utd2_step_ms": step_ms,
        } | dict(
            zip(("draw_ms", "encode_ms", "critic_ms", "actor_ms", "frame_ms", "act_ms"), parts, strict=True)
        )
    return figures


def beside(
    figures: dict[str, dict[str, float]],
    steps_s: dict[str, float],
    actions_s: dict[str, float],
    peers: dict[str, str],
) -> None:
    """Print how many times LeRobot's step ours fits into, and what an action takes there; note both."""
    for name, peer in peers.items():
        if name in figures:
            ratio, peer_act_ms = 1e3 * steps_s[peer] / figures[name]["utd2_step_ms"], 1e3 * actions_s[peer]
            print(
                f"{name:27s} {ratio:6.1f} times as fast as {peer} ({1e3 * steps_s[peer]:,.0f} ms a step);"
                f" an action {peer_act_ms:.1f} ms there"
            )
            figures[name] |= {"peer_step_ms": 1e3 * steps_s[peer], "times_as_fast": ratio}
            figures[name] |= {"peer_act_ms": peer_act_ms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--amp", action="store_true", help="policy.use_amp = true, ours only")
    parser.add_argument("--peer", type=Path, help="site-packages folder with LeRobot 0.4, to run beside")
    as_json.add_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tuned = tune_allocator()
    rates = machine_rates()
    print(
        f"{platform.machine()}, torch {torch.__version__}, {options.threads} thread(s), allocator tuned: {tuned};"
        f" {rates[0]:.0f} GFLOP/s, {rates[1]:.1f} GB/s.\nBatch {options.batch}, two 128x128 cameras, gripper; ms,"
        " the step in the median and its parts at best."
    )
    rows = {
        name: measure(
            VARIANTS[name] | {"use_amp": options.amp},
            options.batch,
            10 if "CNN" in name or "replay" in name else 2,
        )
        for name in options.only
    }
    contestants = {name: timed(row.step) for name, row in rows.items()}
    peers: dict[str, str] = {}
    processes: dict[str, PeerProcess] = {}
    if options.peer:
        peers = dict.fromkeys(VARIANTS, "LeRobot, its CNN") | dict.fromkeys(
            list(VARIANTS)[2:], "LeRobot, ResNet-10"
        )
        for peer in {peers[name]: None for name in options.only}:
            encoder = "resnet10" if "ResNet" in peer else None
            processes[peer] = PeerProcess(options.peer, options.batch, options.threads, encoder)
            contestants[peer] = processes[peer].step_s
    steps_s = in_turns(contestants, options.rounds)
    actions_s = {peer: process.action_s(ACTIONS) for peer, process in processes.items()}
    figures = table(rows, steps_s, rates)
    beside(figures, steps_s, actions_s, peers)
    as_json.write(options, figures)


if __name__ == "__main__":
    main()
