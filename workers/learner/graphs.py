"""The update as a CUDA graph: recorded once for each kind, then launched as one.

An update is some hundred kernels, most of them shorter than their own launch from Python. A graph of them is
launched at once, so that the device and not the interpreter sets the pace (as LeanRL does for CleanRL's SAC).
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from workers.learner.batch import Batch

WARM_UP = 3
"""Updates of each kind before it is recorded: libraries choose their kernels and optimisers make their state."""
log = logging.getLogger(__name__)

Metrics = dict[str, Tensor]


class GraphedUpdate:
    """Calls `update(batch, with_actor)` on a CUDA device, from the fourth call of a kind on as a graph.

    Every call is a real update, also those that warm up. `generator` is what the update draws from. The metrics
    of a call are overwritten by the next one of its kind. Where recording fails, updates go on without graphs.
    """

    def __init__(self, update: Callable[[Batch, bool], Metrics], generator: torch.Generator) -> None:
        self._update = update
        self._generator = generator
        self._stream = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]
        self._inputs: dict[int, Batch] = {}
        self._calls: dict[tuple[int, bool], int] = {}
        self._graphs: dict[tuple[int, bool], tuple[torch.cuda.CUDAGraph, Metrics]] = {}
        self._works = True

    def __call__(self, batch: Batch, with_actor: bool) -> Metrics:
        """One update on `batch`, whose tensors may be overwritten as soon as this returns."""
        kind = len(batch.reward), with_actor
        static = self._static(batch)
        if kind not in self._graphs:
            self._calls[kind] = self._calls.get(kind, 0) + 1
            if self._calls[kind] <= WARM_UP or not self._works:
                return self._aside(static, with_actor)
            self._record(kind, static)
            if not self._works:
                return self._aside(static, with_actor)
        graph, metrics = self._graphs[kind]
        graph.replay()
        return metrics

    def forget(self) -> None:
        """Record anew: memory that was read when updates were recorded is no longer what they are to read."""
        self._graphs.clear()
        self._calls.clear()

    def _static(self, batch: Batch) -> Batch:
        """`batch` in the memory that graphs of its size read: that of the first one, where it is on the device.

        A replay on the device gives every batch in the same memory, and nothing is left to copy.
        """
        size = len(batch.reward)
        if size not in self._inputs:
            self._inputs[size] = batch.to(self._generator.device)
        static = self._inputs[size]
        for place, tensor in zip(static.tensors(), batch.tensors(), strict=True):
            if place.data_ptr() != tensor.data_ptr():
                place.copy_(tensor, non_blocking=True)
        return static

    def _aside(self, batch: Batch, with_actor: bool) -> Metrics:
        """An update on a stream of its own, as recording asks of what comes before it."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            metrics = self._update(batch, with_actor)
        torch.cuda.current_stream().wait_stream(self._stream)
        return metrics

    def _record(self, kind: tuple[int, bool], static: Batch) -> None:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                metrics = self._update(static, kind[1])
        except RuntimeError as error:
            self._works = False
            log.warning("updates go on without CUDA graphs: %s", str(error).splitlines()[0])
            return
        self._graphs[kind] = graph, metrics
