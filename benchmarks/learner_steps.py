"""Whole UTD-2 steps a second: draw, move, shift and both updates, beside LeRobot's own on the same device.

Run: python -m benchmarks.learner_steps [--device cuda] [--batch B] [--compile] [--amp] [--peer PATH] [--json FILE]
Networks and updates are those of configs/sim_pick_lift.toml, with the variant's change, on two 128x128 cameras
and a gripper; "LeRobot's networks" are LeRobot's widths and layers, the equal of the peer's row. A GPU holds the
replay (`storage_device`), ours and the peer's. "busy" is the share of the time in which the GPU works.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import as_json
from benchmarks.lerobot_step import LeRobotLearner
from benchmarks.made_up_replay import FEATURES, filled_replay
from workers.config import AlgorithmConfig, PolicyConfig, load
from workers.learner.devices import usable_device
from workers.learner.feature_maps import feature_maps
from workers.learner.memory import tune_allocator
from workers.learner.replay import frame_slots
from workers.learner.sac import SAC
from workers.learner.streams import Ahead

LEROBOT_WIDTHS: dict[str, object] = {"vision_encoder_name": "lerobot_cnn", "image_embedding_pooling_dim": 8}
RESNET10: dict[str, object] = {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 8}
VARIANTS: dict[str, dict[str, object]] = {
    "small CNN (default)": {},
    "LeRobot's networks": LEROBOT_WIDTHS,
    "ResNet-10, frozen": RESNET10,
    "ResNet-10, feature replay": RESNET10 | {"feature_replay": 8},
}
Peer = tuple[str, str | None, tuple[str, ...]]
"""Where LeRobot keeps its replay, its picture encoder, and what of ours it is compared with."""
CAPACITY = 250
WARM_UP = 8


def own_step(policy: PolicyConfig, device: str, batch: int) -> tuple[Callable[[], None], float]:
    """One UTD-2 step of this product, and its work in GFLOP."""
    algorithm = load("configs/sim_pick_lift.toml").algorithm
    torch._dynamo.reset()  # it gives up after eight networks in one process
    # Counted on a learner of its own: what is compiled while a counter watches stays uncompiled.
    plain = _step(replace(policy, use_torch_compile=False, use_amp=False), algorithm, device, batch)
    with FlopCounterMode(display=False) as flops:
        plain()
    return _step(policy, algorithm, device, batch), flops.get_total_flops() / 1e9


def _step(policy: PolicyConfig, algorithm: AlgorithmConfig, device: str, batch: int) -> Callable[[], None]:
    on, rng = usable_device(device, "--device"), np.random.default_rng(0)
    sac = SAC(FEATURES, policy, algorithm, seed=0, device=on, pretrained=False)
    slots = frame_slots(CAPACITY, CAPACITY)
    maps = feature_maps(sac.encoder, FEATURES, policy, algorithm, slots=slots, seed=0, device=on)
    replay = filled_replay(rng, device, maps, CAPACITY)

    ahead = Ahead(on)

    def step() -> None:
        for with_actor in (False, True):
            drawn = ahead.draw(lambda: sac.encoded(replay.sample(batch, 0.5, rng)))
            sac.update(drawn, with_actor=with_actor)

    return step


def steps_a_second(step: Callable[[], None], seconds: float, device: str) -> float:
    """Steps a second over about `seconds`, after a warm-up."""
    for _ in range(WARM_UP):
        step()
    wait(device)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or count < 3:
        step()
        count += 1
        if count % 50 == 0:
            wait(device)  # or the queue of launches would hide behind the clock
    wait(device)
    return count / (time.perf_counter() - start)


def busy(step: Callable[[], None], rate: float, device: str) -> float:
    """Share of the time in which the GPU computes at `rate` steps a second, 0 on a CPU.

    Its own time a step is what a profiler tells; who watches slows down the host, which is left out so.
    """
    if device == "cpu":
        return 0.0
    steps = 20
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        for _ in range(steps):
            step()
        wait(device)
    busy_us, until = 0.0, 0.0  # what runs side by side counts once
    kernels = [one.time_range for one in seen.events() or () if "CUDA" in str(one.device_type)]
    for kernel in sorted(kernels, key=lambda one: one.start):
        busy_us += max(0.0, kernel.end - max(until, kernel.start))
        until = max(until, kernel.end)
    return 1e-6 * busy_us / steps * rate


def peers(device: str) -> dict[str, Peer]:
    """LeRobot's rows by their names."""
    pictures, resnet = ("LeRobot's networks",), ("ResNet-10, frozen", "ResNet-10, feature replay")
    rows: dict[str, Peer] = {f"LeRobot, replay on {one}": (one, None, pictures) for one in {device, "cpu"}}
    return rows | {f"LeRobot, ResNet-10, replay on {device}": (device, "resnet10", resnet)}


def wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--compile", action="store_true", help="policy.use_torch_compile = true, ours only")
    parser.add_argument("--amp", action="store_true", help="policy.use_amp = true, ours only")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each row")
    parser.add_argument("--peer", type=Path, help="site-packages folder with LeRobot 0.4, to run beside")
    as_json.add_option(parser)
    options = parser.parse_args()
    device, own = options.device, {"use_torch_compile": options.compile, "use_amp": options.amp}
    defaults = load("configs/sim_pick_lift.toml").policy
    tune_allocator()
    name = torch.cuda.get_device_name() if device != "cpu" else f"{torch.get_num_threads()} threads"
    print(f"torch {torch.__version__}, {device} ({name}), batch {options.batch}")
    print(f"{'':32s}{'GFLOP':>8s}{'steps/s':>9s}{'TFLOP/s':>9s}{'busy':>7s}")
    rates: dict[str, float] = {}
    for variant, change in VARIANTS.items():
        step, work = own_step(replace(defaults, **own, **change), device, options.batch)
        rates[variant] = rate = steps_a_second(step, options.seconds, device)
        print(
            f"{variant:32s}{work:8.1f}{rate:9.2f}{rate * work / 1e3:9.2f}{busy(step, rate, device):7.0%}",
            flush=True,
        )
    for name, beside in peers(device).items() if options.peer is not None else ():
        storage, encoder, ours = beside
        peer = LeRobotLearner(options.peer, device, storage, options.batch, 401, encoder)
        rates[name] = rate = steps_a_second(peer.step, options.seconds, device)
        ratios = ", ".join(f"{one}: {rates[one] / rate:.1f}" for one in ours)
        print(
            f"{name:32s}{'':8s}{rate:9.2f}{'':9s}{busy(peer.step, rate, device):7.0%}   times as fast: {ratios}",
            flush=True,
        )
    as_json.write(options, {f"{name}, steps/s": rate for name, rate in rates.items()})


if __name__ == "__main__":
    main()
