"""Files that are written beside the recording, each in a thread of its own that keeps up with the cameras."""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

_LOOK_PERIOD_S = 0.5


class Sink(Protocol):
    """Where items go, in order. Everything is called from one thread and may raise."""

    def add(self, item: Any) -> None:
        """Take the next item."""

    def finish(self) -> None:
        """Bring everything to the disk."""

    def give_up(self) -> None:
        """Close what is open; nothing of it is wanted."""


Kind = TypeVar("Kind", bound=Sink)
Result = TypeVar("Result")


class _Done:
    """Comes after the last item."""


class Background(Generic[Kind]):
    """A sink that a thread makes and feeds, never more than `most` items behind.

    An error of the sink is raised where the next item is given, or by `close`.
    """

    def __init__(self, make: Callable[[], Kind], most: int) -> None:
        self._make = make
        self._items: queue.Queue[object] = queue.Queue(most)
        self._sink: Kind | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item: object) -> None:
        """Hand over an item; waits while the sink is `most` items behind. Raises what the sink raised."""
        if self._error is not None:
            raise self._error
        self._items.put(item)

    def close(self, breathe: Callable[[], object] = lambda: None) -> Kind:
        """Wait until everything is on the disk; the sink, finished. Raises what the sink raised.

        `breathe` is called while items are worked off.
        """
        self._items.put(_Done())
        left = self._items.qsize()
        while self._thread.is_alive():
            self._thread.join(_LOOK_PERIOD_S)
            before, left = left, self._items.qsize()
            if left < before:
                breathe()
        if self._error is not None:
            raise self._error
        assert self._sink is not None, "it was made, or there is an error"
        return self._sink

    def abandon(self) -> None:
        """Leave what is not done; returns when the sink is closed."""
        if self._thread.is_alive():
            self._error = self._error or InterruptedError("given up")
            self._items.put(_Done())
            self._thread.join()

    def _run(self) -> None:
        sink = self._sink = self._attempt(self._make)
        while not isinstance(item := self._items.get(), _Done):
            if sink is not None:
                self._attempt(sink.add, item)  # after an error it is only taken away, so that nobody waits
        if sink is not None:
            self._attempt(sink.finish)
            if self._error is not None:
                with contextlib.suppress(Exception):
                    sink.give_up()

    def _attempt(self, work: Callable[..., Result], *arguments: object) -> Result | None:
        if self._error is None:
            try:
                return work(*arguments)
            except Exception as error:
                self._error = error
        return None
