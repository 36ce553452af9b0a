"""What a new policy costs the actor: the swap itself, and the steps during which it is loaded.

Run: python -m benchmarks.policy_swap [--swaps N] [--only NAME]
The process is held on one core. For each network: milliseconds of the `PolicyRuntime.swap` that takes a policy, of
steps (`PolicyRuntime.act`, two cameras of 128x128) while nothing is loaded, and of steps during which the next
policy is loaded in the background; both kinds take turns, so that other load on the machine meets them alike. The
last column is the processor time that the loader took during such steps: what it delays them by on one core,
whatever else the machine does.
"""

import argparse
import os
import platform
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace

from workers.actor.runtime import PolicyRuntime
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.learner.sac import SAC
from workers.learner.sac_state import frozen_tensors, policy_tensors
from workers.processors.build import feature_spec
from workers.transport.shelf import PolicyShelf

PERIOD_S = 0.1
QUIET_STEPS = 10  # after each swap
NETWORKS: dict[str, dict[str, object]] = {
    "cnn": {},
    "resnet10, frozen": {"vision_encoder_name": "resnet10"},
    "resnet10, trained": {"vision_encoder_name": "resnet10", "freeze_vision_encoder": False},
    "resnet18, frozen": {"vision_encoder_name": "resnet18"},
    "resnet18, trained": {"vision_encoder_name": "resnet18", "freeze_vision_encoder": False},
}


@dataclass
class Times:
    """In ms."""

    swap: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    loading: list[float] = field(default_factory=list)
    loader: list[float] = field(default_factory=list)


def measure(config: Config, swaps: int) -> tuple[Times, float]:
    """Times, and the megabytes of a version."""
    sac = SAC(feature_spec(config), config.policy, config.algorithm, seed=0, pretrained=False)
    shelf = PolicyShelf(config.run_dir / "policy")
    trained = policy_tensors(sac, include_frozen=False)
    if frozen := frozen_tensors(sac):
        shelf.publish_frozen(frozen)
    runtime = PolicyRuntime(config, lambda event: None)
    times = Times()
    for version in range(1, swaps + 2):
        shelf.publish(version, trained)
        runtime.offer(version)
        if version == 1:  # there is nothing to act with yet
            while not runtime.version:
                runtime.swap()
        while runtime.version < version:
            swap_ms, step_ms, loader_ms = step(runtime)
            times.loading.append(step_ms)
            times.loader.append(loader_ms)
        if version > 1:
            times.swap.append(swap_ms)
        times.quiet += [step(runtime)[1] for _ in range(QUIET_STEPS)]
    return times, sum(tensor.nbytes for tensor in trained.values()) / 1e6


def step(runtime: PolicyRuntime) -> tuple[float, float, float]:
    """One step of the actor, then rest until the next.

    Returns ms of the swap, of swap and action together, and of other threads' work meanwhile.
    """
    features = runtime._policy.features
    view = torch.zeros(1, features.height, features.width, 3, dtype=torch.uint8)
    seen = {f"observation.images.{camera}": view for camera in features.cameras}
    seen["observation.state"] = torch.zeros(1, features.state_dim)
    others_s = time.process_time() - time.thread_time()
    start_s = time.perf_counter()
    runtime.swap()
    swapped_s = time.perf_counter()
    runtime.act(seen, deterministic=False)
    done_s = time.perf_counter()
    others_s = time.process_time() - time.thread_time() - others_s
    time.sleep(max(0.0, start_s + PERIOD_S - done_s))
    return 1e3 * (swapped_s - start_s), 1e3 * (done_s - start_s), 1e3 * others_s


def _row(times: list[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in np.percentile(times, (50, 99, 100)))


def _config(folder: Path, change: dict[str, object]) -> Config:
    config = load(ready_config())
    if change:
        change = {"input_downsample": 2, "camera_fusion": "late", **change}
    run = replace(config.run, directory=str(folder))
    return replace(config, run=run, policy=replace(config.policy, **change))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swaps", type=int, default=30)
    parser.add_argument("--only", default="", help="the networks whose name begins so")
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    print(f"torch {torch.__version__}, one core of {os.cpu_count()}, {platform.machine()}")
    print(
        f"{'p50 / p99 / max ms':18s}{'MB':>7s}{'swap':>26s}{'step, nothing loads':>26s}{'step, one loads':>26s}"
    )
    for name, change in NETWORKS.items():
        if name.startswith(args.only):
            with tempfile.TemporaryDirectory() as folder:
                times, megabytes = measure(_config(Path(folder), change), args.swaps)
            columns = "".join(f"{_row(kind):>26s}" for kind in (times.swap, times.quiet, times.loading))
            print(f"{name:18s}{megabytes:7.1f}{columns}{_row(times.loader):>22s}")


if __name__ == "__main__":
    main()
