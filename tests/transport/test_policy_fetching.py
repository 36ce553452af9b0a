"""Policies over a thin line: what was begun arrives, however fast the learner makes newer ones."""

import asyncio
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from safetensors.numpy import load, save

from workers.model.events import Event, PolicyPublished
from workers.transport.ingest_policies import ASKED_FOR_S, PARTS_KEPT, Policies
from workers.transport.link_policies import PolicyFetcher
from workers.transport.pb import learner_pb2 as pb
from workers.transport.shelf import PolicyShelf

CHUNK = 1024  # stands for 128 KiB
CHUNKS = 19  # 2.4 MB
CHUNK_TAKES_S = 1.05  # at 1 Mbit/s


class ThinLine:
    """A learner that pushes a policy every `push_s`, behind a line on which every chunk takes a second of `now_s`."""

    def __init__(self, folder: Path, push_s: float) -> None:
        self._folder = folder
        self.now_s = 0.0
        self.arrived_s: dict[int, float] = {}
        self.breaks_after: set[int] = set()
        self.fetched = 0
        self._push_s = push_s
        self._version = 0
        self._shelf = PolicyShelf(folder / "learner")
        self.policies = Policies(folder / "learner", clock=lambda: self.now_s)
        self.fetcher = PolicyFetcher(folder / "robot", self._note)

    def _note(self, event: Event) -> None:
        assert isinstance(event, PolicyPublished)
        self.arrived_s[event.version] = self.now_s

    def make(self) -> bytes:
        return os.urandom(CHUNKS * CHUNK)

    async def push(self) -> None:
        self._version += 1
        self._shelf.put(self._version, self.make())
        await self.policies.take(self._version)
        self.fetcher.offer(self.policies.offer)

    async def FetchPolicy(self, request: pb.FetchPolicyRequest, timeout: float) -> pb.PolicyChunk:
        while self._version * self._push_s <= self.now_s:
            await self.push()
        self.now_s += CHUNK_TAKES_S
        self.fetched += 1
        data = self.policies.chunk(request.sha256, request.offset)
        if data is None:
            raise failed(grpc.StatusCode.NOT_FOUND)
        if self.fetched in self.breaks_after:
            raise failed(grpc.StatusCode.UNAVAILABLE)
        return pb.PolicyChunk(data=data)

    async def PrepareChange(self, request: pb.ChangeRequest, timeout: float) -> pb.ChangeReply:
        reply = await self.policies.change(request.base_sha256, request.sha256)
        if reply is None:
            raise failed(grpc.StatusCode.NOT_FOUND)
        return reply

    async def run(self, until_s: float) -> None:
        await self.push()
        while self.now_s < until_s:
            running: asyncio.Task[Any] = asyncio.create_task(self.fetcher.run(self, lambda: False))
            while not running.done() and self.now_s < until_s:
                await asyncio.sleep(0.001)
            running.cancel()
            with suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await running


class Training(ThinLine):
    """Its policies are weights that move a little from each to the next."""

    def __init__(self, folder: Path, push_s: float) -> None:
        super().__init__(folder, push_s)
        self._rng = np.random.default_rng(0)
        self.weights = self._rng.normal(0.0, 0.05, (32, CHUNKS * CHUNK // 128)).astype(np.float32)

    def make(self) -> bytes:
        self.weights = self.weights + self._rng.normal(0.0, 1e-3, self.weights.shape).astype(np.float32)
        return save({"actor.weight": self.weights})

    async def take_one(self) -> int:
        """Push a policy and fetch it; how many chunks that took."""
        before = self.fetched
        await self.push()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await self.fetcher.run(self, lambda: False)
        return self.fetched - before

    def here(self, version: int) -> np.ndarray:
        data = self._robot.read(version)
        assert data is not None
        return load(data)["actor.weight"]

    @property
    def _robot(self) -> PolicyShelf:
        return PolicyShelf(self._folder / "robot")


def failed(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ingest_policies", "link_policies"):
        monkeypatch.setattr(f"workers.transport.{module}.CHUNK_BYTES", CHUNK)


@pytest.mark.parametrize("push_s", [2.0, 4.0])
async def test_a_policy_arrives_within_a_minute_though_newer_ones_come_all_the_time(
    tmp_path: Path, push_s: float
) -> None:
    line = ThinLine(tmp_path, push_s)
    await line.run(until_s=120)
    times = [0.0, *line.arrived_s.values()]
    assert len(times) >= 5
    assert max(later - before for before, later in pairwise(times)) <= 60
    assert list(line.arrived_s) == sorted(line.arrived_s)


async def test_what_was_begun_is_finished_on_the_next_connection(tmp_path: Path) -> None:
    line = ThinLine(tmp_path, push_s=4.0)
    line.breaks_after = {10, 15}
    await line.run(until_s=25)
    assert list(line.arrived_s) == [1]


async def test_parts_nobody_fetches_are_forgotten_and_their_number_is_bounded(tmp_path: Path) -> None:
    line = ThinLine(tmp_path, push_s=4.0)
    digests = []
    for _ in range(2 * PARTS_KEPT):
        await line.push()
        digests.append(line.policies.offer.trained.sha256)
        line.now_s += 0.1
        assert line.policies.chunk(digests[0], 0) is not None
    kept = [digest for digest in digests if line.policies.chunk(digest, 0) is not None]
    assert kept == [digests[0], *digests[1 - PARTS_KEPT :]]
    line.now_s += ASKED_FOR_S + 1
    await line.push()
    assert [digest for digest in digests if line.policies.chunk(digest, 0) is not None] == []
    assert line.policies.chunk(line.policies.offer.trained.sha256, 0) is not None


async def test_the_next_policy_comes_as_what_changed_in_a_quarter_of_the_chunks(tmp_path: Path) -> None:
    line = Training(tmp_path, push_s=1e9)
    whole = await line.take_one()
    assert whole >= CHUNKS
    for version in range(2, 12):
        assert await line.take_one() <= 0.4 * whole
        assert np.abs(line.here(version) - line.weights).max() < 5e-5


async def test_several_robots_on_the_same_way_cost_the_learner_one(tmp_path: Path) -> None:
    line = Training(tmp_path, push_s=1e9)
    await line.push()
    base = line.policies.offer.trained.sha256
    await line.push()
    wanted = line.policies.offer.trained.sha256
    ways = [await line.policies.change(base, wanted) for _ in range(3)]
    assert ways[0] is not None
    assert all(way is ways[0] for way in ways)


async def test_a_policy_the_learner_does_not_know_is_no_base(tmp_path: Path) -> None:
    line = Training(tmp_path, push_s=1e9)
    whole = await line.take_one()
    line.now_s += ASKED_FOR_S + 1
    assert await line.take_one() >= whole


async def test_a_change_that_leads_elsewhere_is_not_used_and_the_whole_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Training(tmp_path, push_s=1e9)
    await line.take_one()
    monkeypatch.setattr("workers.transport.link_policies.AGAIN_S", 0.01)
    with monkeypatch.context() as other_arithmetic:
        other_arithmetic.setattr("workers.transport.link_policies.changed", lambda base, difference: base)
        await line.take_one()
    assert (line.here(2) == line.weights).all()
