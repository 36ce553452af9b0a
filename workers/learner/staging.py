"""Numbers on their way to a device: through page-locked memory, without the host waiting for the copy."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_T = TypeVar("_T")
DEPTH = 3  # places in turn: the host may be this far ahead of the device
TURNS = 2
"""Batches of a size that are in a GPU's memory at a time: one is made ready while the one before is used."""


class Turns(Generic[_T]):
    """Memory for one batch after another: the same for every one, or on a GPU in turn that of `TURNS`."""

    def __init__(self, make: Callable[[], _T], device: torch.device) -> None:
        self._all = [make() for _ in range(TURNS if device.type == "cuda" else 1)]
        self._turn = 0

    def next(self) -> _T:
        """That which was not given for longest."""
        self._turn = (self._turn + 1) % len(self._all)
        return self._all[self._turn]


class Staging:
    """Places for arrays of one shape that go to `device`.

    `place` gives the next one to fill, `send` copies it. Where the device is the CPU a copy is made at once. On a GPU
    it is in the same memory every `TURNS` times.
    """

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._device = device
        self._on_gpu = device.type == "cuda"
        self._places = [torch.empty(shape, dtype=dtype, pin_memory=self._on_gpu) for _ in range(DEPTH)]
        there = Turns(lambda: torch.empty(shape, dtype=dtype, device=device), device)
        self._there = there if self._on_gpu else None
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
        there = self._there.next()
        there.copy_(place, non_blocking=True)
        event = self._sent[self._turn] = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        return there
