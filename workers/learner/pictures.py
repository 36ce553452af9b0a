"""Where replay keeps its pictures, nearly all of its bytes: in main memory, or on the device that trains.

Both give the same bytes for the same slots and shifts.
"""

import logging
import math
import mmap
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.learner.augment import draw_shifts, shift_into
from workers.learner.staging import Staging, Turns
from workers.transport.record import FeatureSpec

log = logging.getLogger(__name__)

Slots = NDArray[np.int64]
Shifts = NDArray[np.int64]
"""For each row of a batch how it is to be seen, as the store drew it: (down, right) in pixels, see `draw_shifts`."""


class Pictures(Protocol):
    """The pictures of `slots` observations."""

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        """Copy uint8 [cameras, H, W, 3] into `slot`."""

    def draw(self, count: int, random_shift_px: int, rng: np.random.Generator) -> Shifts:
        """How each of `count` rows is to be seen."""

    def gather(self, slots: Slots, shifts: Shifts) -> Tensor:
        """The pictures at `slots`, each moved by its shift: uint8 [B, cameras, H, W, 3]; or their feature maps.

        They may live in memory that the next call of the same size overwrites, on a GPU the next but one.
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

    def gather(self, slots: Slots, shifts: Shifts) -> Tensor:
        out = self._batches.get(len(slots))
        if out is None:  # kept: a fresh array would cost more in page faults than the copy itself
            out = self._batches[len(slots)] = np.empty((len(slots), *self._images.shape[1:]), np.uint8)
        if out.size:
            for row, (slot, (down, right)) in enumerate(zip(slots.tolist(), shifts.tolist(), strict=True)):
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
        self._shift_into = _kernel_for(device)
        self._numbers: dict[int, Staging] = {}
        self._batches: dict[int, Turns[Tensor]] = {}

    def write(self, slot: int, images: NDArray[np.uint8]) -> None:
        self._images[slot] = torch.tensor(images, device=self._images.device)

    def gather(self, slots: Slots, shifts: Shifts) -> Tensor:
        if not self._images.numel():  # no cameras
            return self._images.new_empty((len(slots), *self._images.shape[1:]))
        numbers = self._on_device(slots, shifts)
        if self._shift_into is None:
            return row_by_row(self._images, *numbers.unbind())
        if len(slots) not in self._batches:
            shape, device = (len(slots), *self._images.shape[1:]), self._images.device
            self._batches[len(slots)] = Turns(
                lambda: torch.empty(shape, dtype=torch.uint8, device=device), device
            )
        out = self._batches[len(slots)].next()
        self._shift_into(out, self._images, numbers)
        return out

    def _on_device(self, slots: Slots, shifts: Shifts) -> Tensor:
        """int64 [3, B]: slots, shifts down, shifts to the right."""
        size = len(slots)
        if size not in self._numbers:
            self._numbers[size] = Staging((3, size), torch.int64, self._images.device)
        place = self._numbers[size].place()
        place[0], place[1:] = slots, shifts.T
        return self._numbers[size].send()


def _kernel_for(device: torch.device) -> Callable[[Tensor, Tensor, Tensor], None] | None:
    """What fills a batch in one pass; None where there is nothing but PyTorch's own operations."""
    if device.type != "cuda":
        return None
    try:
        from workers.learner.gpu_pictures import shift_into as kernel

        images = torch.zeros((1, 1, 4, 4, 3), dtype=torch.uint8, device=device)
        kernel(torch.empty_like(images), images, torch.zeros((3, 1), dtype=torch.int64, device=device))
    except Exception as reason:  # no Triton, no C compiler, a GPU that it does not know
        log.info("pictures are gathered without a kernel of their own, slower: %s", reason)
        return None
    return kernel


def row_by_row(images: Tensor, slot: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """[b, c, y, x] = images[slot_b, c, clamp(y + down_b), clamp(x + right_b)], uint8 [B, cameras, H, W, 3].

    Whole rows first, then pixels within them: as an operation each, twice as fast on a GPU as pixel by pixel.
    """
    cameras, height, width, channels = images.shape[1:]
    row = _clamped(height, down)
    rows = ((slot[:, None] * cameras + torch.arange(cameras, device=slot.device))[:, :, None] * height) + row[
        :, None
    ]
    picked = images.view(-1, width * channels)[rows]
    places = _clamped(width, right)[:, :, None] * channels + torch.arange(channels, device=slot.device)
    places = places.flatten(1)[:, None, None]
    return picked.gather(3, places.expand_as(picked)).view(-1, cameras, height, width, channels)


def _clamped(size: int, shift: Tensor) -> Tensor:
    """Where the pixels 0 to `size` of each row come from, int64 [B, size]."""
    return (torch.arange(size, device=shift.device) + shift[:, None]).clamp(0, size - 1)
