"""Memory of the learner: what a replay will take, told before it is allocated; a tuned allocator."""

import ctypes
import gc
import os
import sys
from pathlib import Path

import torch

from workers.config import PolicyConfig
from workers.learner.replay import frame_slots
from workers.transport.record import FeatureSpec

_SLOT_BOOKKEEPING_BYTES = 4 * 4 + 1 + 4 + 8 * 2 + 1 + 8 * 2
"""reward, penalty, next slot, source; terminated; free-list entry, episode, references and index rings; see
FrameStore and IndexRing."""


SWITCH_S = 0.0005


class ReplayTooLarge(ValueError):
    """The replay would not fit into memory; the message names the capacity that would."""


def frame_bytes(features: FeatureSpec, policy: PolicyConfig | None = None) -> int:
    """Bytes of one stored time step: with its pictures, or with what `policy` keeps of them."""
    cameras, height, width, channels = features.image_shape
    seen = cameras * height * width * channels
    if policy is not None and policy.feature_replay:
        seen = policy.feature_replay * cameras * resnet_map_bytes(height, width)
    numbers = 4 * (features.state_dim + features.action_dim)
    return seen + numbers + _SLOT_BOOKKEEPING_BYTES


def resnet_map_bytes(height: int, width: int) -> int:
    """Bytes of the feature map of one picture of that size, 512 channels in half precision; see `feature_maps.py`."""
    return 2 * 512 * -(-height // 32) * -(-width // 32)


def replay_bytes(features: FeatureSpec, policy: PolicyConfig) -> int:
    """Bytes of a filled replay."""
    slots = frame_slots(policy.online_buffer_capacity, policy.offline_buffer_capacity)
    return slots * frame_bytes(features, policy)


def check_fits(features: FeatureSpec, policy: PolicyConfig, available_bytes: int, processes: int = 1) -> None:
    """Raises ReplayTooLarge when `processes` filled replays need more than `available_bytes`."""
    needed = replay_bytes(features, policy) * processes
    if needed <= available_bytes:
        return
    available_each = available_bytes // processes
    wanted = policy.online_buffer_capacity + policy.offline_buffer_capacity
    share = max(0, available_each // frame_bytes(features, policy) - 2) / wanted
    online = int(policy.online_buffer_capacity * share)
    offline = int(policy.offline_buffer_capacity * share)
    several = f", {processes} of them in as many processes," if processes > 1 else ""
    raise ReplayTooLarge(
        f"replay needs {needed / 2**30:.1f} GiB when full{several} but {available_bytes / 2**30:.1f} GiB are free."
        f" Set online_buffer_capacity to at most {online:,} and offline_buffer_capacity to at most"
        f" {offline:,}, or make the pictures smaller."
    )


def available_bytes(device: torch.device) -> int:
    """Memory that can be taken on `device`; of main memory, without swapping."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    for line in Path("/proc/meminfo").read_text().splitlines() if Path("/proc/meminfo").exists() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def favour_training() -> None:
    """Let nothing hold up updates that can be helped. Call once, when everything that stays has been made.

    Training lets go of the interpreter with every operation of torch, and waits up to the switch interval, 5 ms by
    default, to have it again from a thread that writes a checkpoint. And a full garbage collection looks at half a
    million objects of torch, 0.3 s long, of which none is ever garbage: they are taken out of its sight.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()


def tune_allocator() -> bool:
    """Keep freed memory in the process (glibc): whether it was done. Call once, before the first update.

    By default glibc maps and unmaps every large tensor, and the page faults cost as much as the arithmetic:
    1.2 to 2 times per update (measured).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    trim_threshold, mmap_max = -1, -4  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_MAX
    return bool(mallopt(mmap_max, 0) and mallopt(trim_threshold, 2**31 - 1))
