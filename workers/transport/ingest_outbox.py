"""What waits to be said to one robot PC, newest of a kind only: a peer that does not read costs nothing."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from workers.transport.pb import learner_pb2 as pb

REPORTS_KEPT = 256  # log lines of a robot PC that reads slowly; the oldest are dropped


class Outbox:
    """Filled by whoever has something to say, emptied by the stream's one writer."""

    def __init__(self, welcome: pb.Welcome) -> None:
        self._welcome: pb.Welcome | None = welcome
        self._ack: int | None = None
        self._heartbeat: pb.Heartbeat | None = None
        self._offer: pb.PolicyOffer | None = None
        self._reports: deque[bytes] = deque(maxlen=REPORTS_KEPT)
        self._last: pb.FromLearner | None = None
        self._closed = False
        self._filled = asyncio.Event()
        self._filled.set()

    def ack(self, next_seq: int) -> None:
        self._ack = next_seq
        self._filled.set()

    def beat(self, heartbeat: pb.Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._filled.set()

    def offer(self, offer: pb.PolicyOffer) -> None:
        self._offer = offer
        self._filled.set()

    def report(self, event: bytes) -> None:
        self._reports.append(event)
        self._filled.set()

    def close(self, last: pb.FromLearner | None = None) -> None:
        """Nothing more is said but what waits now, and then `last`; the first close counts."""
        if not self._closed:
            self._closed, self._last = True, last
            self._filled.set()

    async def messages(self) -> AsyncIterator[pb.FromLearner]:
        """All that is to be said, until closed."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            for message in self._take():
                yield message
            if self._closed:
                if self._last is not None:
                    yield self._last
                return

    def _take(self) -> list[pb.FromLearner]:
        messages = []
        if self._welcome is not None:
            messages.append(pb.FromLearner(welcome=self._welcome))
        if self._ack is not None:
            messages.append(pb.FromLearner(ack=pb.Ack(next_seq=self._ack)))
        if self._heartbeat is not None:
            messages.append(pb.FromLearner(heartbeat=self._heartbeat))
        if self._offer is not None:
            messages.append(pb.FromLearner(policy_offer=self._offer))
        if self._reports:
            messages.append(pb.FromLearner(report=pb.Report(events=list(self._reports))))
        self._welcome = self._ack = self._heartbeat = self._offer = None
        self._reports.clear()
        return messages
