"""What the memory of the configured replay comes to, beside what there is."""

import os
from collections.abc import Callable
from typing import Final

import torch

from workers.config import Config
from workers.learner.devices import DeviceMissing, usable_device
from workers.learner.memory import ReplayTooLarge, available_bytes, check_fits, replay_bytes
from workers.model.check import Check
from workers.processors.build import feature_spec
from workers.processors.errors import EnvironmentRefused

LEAST_GIB: Final = 4.0  # networks, cameras, simulator and console, where no replay is known of
CLOSE: Final = 0.8  # of what is free
WHY: Final = "replay is held in memory, and a full one that does not fit ends the run"


def memory(config: Config | None, available: Callable[[torch.device], int] = available_bytes) -> Check:
    """Predicted bytes of a full replay against what is free on its device."""
    if config is None or config.mode is not None:
        free = available(torch.device("cpu")) / 2**30
        do = "close other programs; hilserl-tui doctor CONFIG tells what its replay will take"
        return Check("memory", True if free >= LEAST_GIB else None, f"{free:.1f} GiB free", WHY, do)
    policy = config.policy
    host = policy.actor_learner_config.learner_host
    if host is not None:
        free = available(torch.device("cpu")) / 2**30
        return Check("memory", True, f"{free:.1f} GiB free; the replay is the learner's, on {host}")
    try:
        features = feature_spec(config)
        device = usable_device(policy.storage_device, "policy.storage_device")
        needed, free_bytes = replay_bytes(features, policy), available(device)
        check_fits(features, policy, free_bytes)
    except (ReplayTooLarge, DeviceMissing, EnvironmentRefused) as error:
        do = "do as it says, or halve the sides of the pictures (resize_size): a quarter of the memory"
        return Check("memory", False, str(error), WHY, do)
    found = f"a full replay takes {needed / 2**30:.1f} GiB of {free_bytes / 2**30:.1f} GiB free"
    close = needed > CLOSE * free_bytes
    do = "lower online_buffer_capacity and offline_buffer_capacity, or make the pictures smaller"
    return Check("memory", None if close else True, found, WHY, do)


def cores() -> Check:
    """Processor cores that this process may use."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    why = "arm, cameras, actor and learner run at once"
    do = "let the learner run on another machine, or lower algorithm.utd_ratio"
    return Check("processor", True if there >= 2 else None, f"{there} cores", why, do)
