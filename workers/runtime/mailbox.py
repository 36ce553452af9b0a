"""Mailbox: a worker's two queues, orders in and events out, as the worker sees them.

Events are dropped, and counted, when the station does not read: a control loop never waits for a reader.
"""

import queue
from multiprocessing.context import SpawnContext

import msgspec

from workers.model.events import AnyEvent, Event
from workers.model.orders import AnyOrder, Order

EVENT_QUEUE_LENGTH = 4096
_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[AnyOrder] = msgspec.msgpack.Decoder(AnyOrder)
_events: msgspec.msgpack.Decoder[AnyEvent] = msgspec.msgpack.Decoder(AnyEvent)


class Mailbox:
    """Made by the station, one a process life: a queue that a killed process held is never used again."""

    def __init__(self, context: SpawnContext) -> None:
        self._orders = context.Queue()
        self._events = context.Queue(EVENT_QUEUE_LENGTH)
        self.dropped = 0

    # the worker's side

    def emit(self, event: Event) -> None:
        """Hand an event to the station; never blocks."""
        try:
            self._events.put_nowait(_encoder.encode(event))
        except queue.Full:
            self.dropped += 1

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        """The next order, waiting at most `timeout_s`; None when there is none."""
        try:
            body = self._orders.get(timeout_s > 0, timeout_s if timeout_s > 0 else None)
        except queue.Empty:
            return None
        return _orders.decode(body)

    def close_worker_side(self) -> None:
        """Flush what was emitted; at most a moment, since a dead station reads nothing."""
        self._events.close()
        self._events.join_thread()

    # the station's side

    def give(self, order: Order) -> None:
        self._orders.put(_encoder.encode(order))

    def take_event(self) -> AnyEvent:
        """Block for the next event. Raises EOFError or OSError when the worker is gone."""
        return _events.decode(self._events.get())

    def after_start(self) -> None:
        """Drop the station's copy of the worker's write end, so that a dead worker reads as end of file."""
        self._events._writer.close()  # type: ignore[attr-defined]

    def close_station_side(self) -> None:
        self._orders.cancel_join_thread()
        self._orders.close()
        self._events.close()
