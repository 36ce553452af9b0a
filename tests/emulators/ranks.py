"""Several processes of one torch.distributed group on this machine, each calling the same function."""

import multiprocessing
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from workers.learner.sharding import Shard

LIMIT_S = 90.0
SLOW_TO_IMPORT = ["torch", "torch.distributed", "torch._dynamo"]
"""Once for all ranks; optimisers import the last as soon as they are made."""


def on_ranks(work: Callable[..., None], folder: Path, *arguments: Any, world: int = 2) -> None:
    """Call `work(shard, folder, *arguments)` on `world` ranks; raises AssertionError unless all return in time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(SLOW_TO_IMPORT)
    processes = [
        context.Process(target=_rank, args=(work, rank, world, folder, arguments)) for rank in range(world)
    ]
    for process in processes:
        process.start()
    deadline_s = time.monotonic() + LIMIT_S
    for process in processes:
        process.join(max(0.0, deadline_s - time.monotonic()))
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    assert codes == [0] * world, f"exit codes of the ranks: {codes}"


def _rank(work: Callable[..., None], rank: int, world: int, folder: Path, arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), world)
    limit = timedelta(seconds=LIMIT_S / 2)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world, timeout=limit)
    work(Shard(rank, world), folder, *arguments)
    dist.destroy_process_group()
