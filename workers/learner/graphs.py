"""An update, and what gets its batch ready, as CUDA graphs: recorded once for each kind, then launched as one.

An update is some hundred kernels, most of them shorter than their own launch from Python. A graph of them is
launched at once, so that the device and not the interpreter sets the pace (as LeanRL does for CleanRL's SAC).
"""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor

from workers.learner.batch import Batch
from workers.learner.staging import TURNS

WARM_UP = 3
"""Calls of each kind before it is recorded: libraries choose their kernels and optimisers make their state."""
log = logging.getLogger(__name__)

Metrics = dict[str, Tensor]
_Kind = tuple[int, bool]
"""Where its batch is, and with the actor's update or without."""
_T = TypeVar("_T")


class Inputs:
    """Memory of `device` that graphs read their batches from: that of the first `TURNS` batches of a size.

    A replay on the device gives its batches in that memory, in turn, and nothing is left to copy.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known: dict[int, dict[int, Batch]] = {}
        """By size, then by place: the one that was taken last comes last."""

    def put(self, batch: Batch) -> Batch:
        """`batch`, there."""
        known = self._known.setdefault(len(batch.reward), {})
        if _place(batch) in known:
            there = known[_place(batch)]
        elif len(known) < TURNS:
            there = batch.to(self._device)
        else:
            there = next(iter(known.values()))
        known.pop(_place(there), None)
        known[_place(there)] = there
        for tensor, given in zip(there.tensors(), batch.tensors(), strict=True):
            if tensor.data_ptr() != given.data_ptr():
                tensor.copy_(given, non_blocking=True)
        return there


class Graphed(Generic[_T]):
    """Calls `work(batch, with_actor)` on a CUDA device, from the fourth call of a kind on as a graph.

    Every call does the work, also those that warm up. `generator` is what it draws from, if it does. What a call
    gives is overwritten by the next one of its kind. Where recording fails, it goes on without graphs.
    """

    def __init__(
        self,
        work: Callable[[Batch, bool], _T],
        device: torch.device,
        generator: torch.Generator | None = None,
        priority: int = 0,
    ) -> None:
        self._work = work
        self._generator = generator
        self._stream = torch.cuda.Stream(device, priority)  # type: ignore[no-untyped-call]
        self._inputs = Inputs(device)
        self._calls: dict[_Kind, int] = {}
        self._graphs: dict[_Kind, tuple[torch.cuda.CUDAGraph, _T]] = {}
        self._works = True

    def __call__(self, batch: Batch, with_actor: bool) -> _T:
        """The work on `batch`, whose tensors may be overwritten as soon as it is done."""
        static = self._inputs.put(batch)
        kind = _place(static), with_actor
        if kind not in self._graphs:
            self._calls[kind] = self._calls.get(kind, 0) + 1
            if self._calls[kind] <= WARM_UP or not self._works:
                return self._aside(static, with_actor)
            self._record(kind, static)
            if not self._works:
                return self._aside(static, with_actor)
        graph, given = self._graphs[kind]
        graph.replay()
        return given

    def forget(self) -> None:
        """Record anew: memory that was read when updates were recorded is no longer what they are to read."""
        self._graphs.clear()
        self._calls.clear()

    def _aside(self, batch: Batch, with_actor: bool) -> _T:
        """The work on a stream of its own, as recording asks of what comes before it."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            given = self._work(batch, with_actor)
        torch.cuda.current_stream().wait_stream(self._stream)
        return given

    def _record(self, kind: _Kind, static: Batch) -> None:
        graph = torch.cuda.CUDAGraph()
        if self._generator is not None:
            graph.register_generator_state(self._generator)
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                given = self._work(static, kind[1])
        except RuntimeError as error:
            self._works = False
            log.warning("learning goes on without a CUDA graph: %s", str(error).splitlines()[0])
            return
        self._graphs[kind] = graph, given


def _place(batch: Batch) -> int:
    return batch.reward.data_ptr()  # pictures may be none
