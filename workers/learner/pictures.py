"""Where replay keeps its pictures, nearly all of its bytes: in main memory, or on the device that trains.

Both give the same bytes for the same slots and shifts.
"""

import math
import mmap
from contextlib import suppress
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.learner.augment import shift_into
from workers.transport.record import FeatureSpec

Shifts = list[list[int]]
"""(down, right) in pixels for each row of a batch, see `draw_shifts`."""


class Pictures(Protocol):
    """The pictures of `slots` observations."""

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        """Copy uint8 [cameras, H, W, 3] into `slot`."""

    def gather(self, slots: list[int], shifts: Shifts) -> Tensor:
        """The pictures at `slots`, each moved by its shift: uint8 [B, cameras, H, W, 3].

        They may live in memory that the next call of the same size overwrites.
        """


def picture_store(features: FeatureSpec, slots: int, device: torch.device) -> Pictures:
    """The store for `device`."""
    if device.type == "cpu":
        return HostPictures(features, slots)
    return DevicePictures(features, slots, device)


class HostPictures:
    """In main memory, touched only as slots are used; copied row by row, which is fastest there."""

    def __init__(self, features: FeatureSpec, slots: int) -> None:
        self._images = _large((slots, *features.image_shape))
        self._batches: dict[int, NDArray[np.uint8]] = {}

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        self._images[slot] = images

    def gather(self, slots: list[int], shifts: Shifts) -> Tensor:
        out = self._batches.get(len(slots))
        if out is None:  # kept: a fresh array would cost more in page faults than the copy itself
            out = self._batches[len(slots)] = np.empty((len(slots), *self._images.shape[1:]), np.uint8)
        if out.size:
            for row, (slot, (down, right)) in enumerate(zip(slots, shifts, strict=True)):
                shift_into(out[row], self._images[slot], down, right)
        return torch.from_numpy(out)


def _large(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Zeros uint8 [*shape], in huge pages where the kernel has them.

    The first touch of a small page costs the kernel more than the copy into it: of 2 GB, 6 of 8 seconds (measured).
    """
    size = math.prod(shape)
    if not size or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(shape, np.uint8)
    area = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        area.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(area, np.uint8).reshape(shape)


class DevicePictures:
    """On a device, allocated at once; a batch is one gather there and never crosses the bus."""

    def __init__(self, features: FeatureSpec, slots: int, device: torch.device) -> None:
        self._images = torch.empty((slots, *features.image_shape), dtype=torch.uint8, device=device)

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        self._images[slot] = torch.tensor(images, device=self._images.device)

    def gather(self, slots: list[int], shifts: Shifts) -> Tensor:
        """out[b, c, y, x] = images[slots[b], c, clamp(y + down_b), clamp(x + right_b)]."""
        _, cameras, height, width, _ = self._images.shape
        down, right = self._index(shifts).unbind(1)
        rows = (self._index(range(height)) + down[:, None]).clamp(0, height - 1)
        columns = (self._index(range(width)) + right[:, None]).clamp(0, width - 1)
        return self._images[
            self._index(slots)[:, None, None, None],
            self._index(range(cameras))[None, :, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]

    def _index(self, numbers: Shifts | list[int] | range) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=self._images.device)
