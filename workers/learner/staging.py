"""Numbers on their way to a device: through page-locked memory, without the host waiting for the copy."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DEPTH = 3  # places in turn: the host may be this far ahead of the device


class Staging:
    """Places for arrays of one shape that go to `device`.

    `place` gives the next one to fill, `send` copies it. Where the device is the CPU a copy is made at once. On a GPU
    it is always the same memory, which the next `send` overwrites once what was enqueued before is done.
    """

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._device = device
        self._on_gpu = device.type == "cuda"
        self._places = [torch.empty(shape, dtype=dtype, pin_memory=self._on_gpu) for _ in range(DEPTH)]
        self._there = torch.empty(shape, dtype=dtype, device=device) if self._on_gpu else None
        self._sent: list[torch.cuda.Event | None] = [None] * DEPTH
        self._turn = 0

    def place(self) -> NDArray[Any]:
        """The next place, to be filled before `send`; waits while a copy from it is still under way."""
        self._turn = (self._turn + 1) % DEPTH
        event = self._sent[self._turn]
        if event is not None:
            event.synchronize()
        filled: NDArray[np.generic] = self._places[self._turn].numpy()
        return filled

    def send(self) -> Tensor:
        """What was put into the last place, on the device."""
        place = self._places[self._turn]
        if self._there is None:
            return place.to(self._device, copy=True)
        self._there.copy_(place, non_blocking=True)
        event = self._sent[self._turn] = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return self._there
