"""Work of a GPU beside other work of it: streams, which a CPU does without, one thing after another."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from workers.learner.batch import Batch
from workers.learner.staging import TURNS

URGENT = -1
"""Priority of a stream whose kernels go before those of others that wait: many small ones beside a few large."""


class Fork:
    """A second stream, for what needs nothing of what the current one does from here to `join`."""

    def __init__(self, device: torch.device, priority: int = 0) -> None:
        self._stream = torch.cuda.Stream(device, priority) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """In this context work goes to the second stream, behind what the current one has been given so far."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield

    def join(self) -> None:
        """What the current stream is given from now on waits for the second one."""
        if self._stream is not None:
            torch.cuda.current_stream().wait_stream(self._stream)


class Ahead:
    """A stream for the replay and the batches drawn from it, which are made ready while the update before still runs.

    All that a replay does goes here, in the order in which it is asked for.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self._used = False
        self._last_draw: torch.cuda.Event | None = None
        self._kept: deque[Batch] = deque(maxlen=TURNS)
        """Memory of this stream may not be given away while another one reads it."""

    @contextmanager
    def adding(self) -> Iterator[None]:
        """In this context, something is put into the replay."""
        if self._stream is None:
            yield
            return
        self._begin(self._stream)
        with torch.cuda.stream(self._stream):
            yield

    def _begin(self, stream: torch.cuda.Stream) -> None:
        """The first time, behind what made ready the weights that encode."""
        if not self._used:
            stream.wait_stream(torch.cuda.current_stream())
            self._used = True

    def draw(self, make: Callable[[], Batch]) -> Batch:
        """What `make` gives, for the current stream to use; it may be in the memory of the last batch but one."""
        if self._stream is None:
            return make()
        self._begin(self._stream)
        current = torch.cuda.current_stream()
        if self._last_draw is not None:
            # By then what uses the last batch but one had been asked for.
            self._stream.wait_event(self._last_draw)
        self._last_draw = current.record_event()
        with torch.cuda.stream(self._stream):
            batch = make()
        current.wait_stream(self._stream)
        self._kept.append(batch)
        return batch
