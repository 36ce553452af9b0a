"""Updates a second of one process and of several that make one update together, over gloo on this machine's CPU.

Run: python -m benchmarks.scaling [--processes N] [--batch B] [--updates U]
Networks and updates are those of configs/sim_pick_lift.toml on two 128x128 cameras; each process has one thread
and its own replay. "Same batch each" is what `torchrun` with an unchanged batch_size does: the summed batch grows.
"Shared batch" splits one batch among the processes. CUDA with nccl takes the same path; it is not measured here.
"""

import argparse
import multiprocessing
import os
import platform
import tempfile
import time
from datetime import timedelta
from multiprocessing.queues import SimpleQueue

import numpy as np
import torch
import torch.distributed as dist

from benchmarks.made_up_replay import FEATURES, filled_replay
from workers.config import load
from workers.learner.memory import tune_allocator
from workers.learner.sac import SAC
from workers.learner.sharding import Shard

WARM_UP = 3
LIMIT = timedelta(minutes=5)


def learn(rank: int, world: int, folder: str, batch: int, updates: int, told: "SimpleQueue[float]") -> None:
    """One rank: `updates` critic and actor updates on `batch` rows of its own; rank 0 tells the seconds of one."""
    torch.set_num_threads(1)
    tune_allocator()
    if world > 1:
        meeting = f"file://{folder}/store"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world, timeout=LIMIT)
    config, shard = load("configs/sim_pick_lift.toml"), Shard(rank, world)
    sac = SAC(FEATURES, config.policy, config.algorithm, seed=0, pretrained=False, shard=shard)
    rng = np.random.default_rng(0)
    replay = filled_replay(rng)
    times = []
    for _ in range(WARM_UP + updates):
        start = time.perf_counter()
        sac.update(replay.sample(batch, 0.5, rng, shard=shard))
        times.append(time.perf_counter() - start)
    if rank == 0:
        told.put(float(np.median(times[WARM_UP:])))
    if world > 1:
        dist.destroy_process_group()


def median_s(world: int, batch: int, updates: int) -> float:
    """Seconds of one update by `world` processes of `batch` rows each."""
    context = multiprocessing.get_context("spawn")
    told: SimpleQueue[float] = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        ranks = [
            context.Process(target=learn, args=(rank, world, folder, batch, updates, told))
            for rank in range(world)
        ]
        for process in ranks:
            process.start()
        for process in ranks:
            process.join(LIMIT.total_seconds())
            if process.exitcode != 0:
                raise SystemExit(f"a process of {world} ended with {process.exitcode}")
    return told.get()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--updates", type=int, default=30)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, gloo, one thread a process."
        " No GPU, no nccl. Medians."
    )
    print(f"{'':34s}{'ms/update':>10s}{'updates/s':>11s}{'rows/s':>9s}")
    several = options.processes
    for name, world, batch in (
        (f"1 process, batch {options.batch}", 1, options.batch),
        (f"{several} processes, same batch each", several, options.batch),
        (f"{several} processes, shared batch", several, options.batch // several),
    ):
        seconds = median_s(world, batch, options.updates)
        print(f"{name:34s}{1e3 * seconds:10.1f}{1 / seconds:11.2f}{world * batch / seconds:9.0f}")


if __name__ == "__main__":
    main()
