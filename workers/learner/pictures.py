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

from workers.learner.augment import draw_shifts, shift_into
from workers.learner.staging import Staging
from workers.transport.record import FeatureSpec

Shifts = list[list[int]]
"""For each row of a batch how it is to be seen, as the store drew it: (down, right) in pixels, see `draw_shifts`."""


class Pictures(Protocol):
    """The pictures of `slots` observations."""

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        """Copy uint8 [cameras, H, W, 3] into `slot`."""

    def draw(self, count: int, random_shift_px: int, rng: np.random.Generator) -> Shifts:
        """How each of `count` rows is to be seen."""

    def gather(self, slots: list[int], shifts: Shifts) -> Tensor:
        """The pictures at `slots`, each moved by its shift: uint8 [B, cameras, H, W, 3]; or their feature maps.

        They may live in memory that the next call of the same size overwrites.
        """


def picture_store(features: FeatureSpec, slots: int, device: torch.device) -> Pictures:
    """The store for `device`."""
    if device.type == "cpu":
        return HostPictures(features, slots)
    return DevicePictures(features, slots, device)


class _Shifted:
    """A store that shifts its pictures as they are drawn."""

    def draw(self, count: int, random_shift_px: int, rng: np.random.Generator) -> Shifts:
        return draw_shifts(count, random_shift_px, rng)


class HostPictures(_Shifted):
    """In main memory, touched only as slots are used; copied row by row, which is fastest there."""

    def __init__(self, features: FeatureSpec, slots: int) -> None:
        self._images = large((slots, *features.image_shape))
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


def large(shape: tuple[int, ...]) -> NDArray[np.uint8]:
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


class DevicePictures(_Shifted):
    """On a device, allocated at once; a batch is one gather there and never crosses the bus."""

    def __init__(self, features: FeatureSpec, slots: int, device: torch.device) -> None:
        self._images = torch.empty((slots, *features.image_shape), dtype=torch.uint8, device=device)
        self._camera, self._row, self._column, self._channel = (
            torch.arange(size, device=device) for size in features.image_shape
        )
        self._numbers: dict[int, Staging] = {}

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        self._images[slot] = torch.tensor(images, device=self._images.device)

    def gather(self, slots: list[int], shifts: Shifts) -> Tensor:
        """out[b, c, y, x] = images[slots[b], c, clamp(y + down_b), clamp(x + right_b)].

        Whole rows first, then pixels within them: three times as fast on a GPU as pixel by pixel.
        """
        slot, down, right = self._on_device(slots, shifts)
        cameras, height, width, channels = self._images.shape[1:]
        row = (self._row + down[:, None]).clamp(0, height - 1)
        rows = ((slot[:, None] * cameras + self._camera)[:, :, None] * height) + row[:, None]
        picked = self._images.view(-1, width * channels)[rows]
        column = (self._column + right[:, None]).clamp(0, width - 1)
        places = (column[:, :, None] * channels + self._channel).flatten(1)[:, None, None]
        return picked.gather(3, places.expand_as(picked)).view(-1, cameras, height, width, channels)

    def _on_device(self, slots: list[int], shifts: Shifts) -> Tensor:
        """int64 [3, B]: slots, shifts down, shifts to the right."""
        size = len(slots)
        if size not in self._numbers:
            self._numbers[size] = Staging((3, size), torch.int64, self._images.device)
        place = self._numbers[size].place()
        place[0] = slots
        place[1:] = np.array(shifts, np.int64).reshape(size, 2).T
        return self._numbers[size].send()
