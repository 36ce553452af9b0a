"""A stream that breaks while its log is being opened leaves nothing behind; silent ones are ended."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transport.linked import FEATURES, until
from workers.transport.ingest_actors import Actors
from workers.transport.ingest_hello import Actor
from workers.transport.pb import learner_pb2 as pb
from workers.transport.replica import ReplicaWriter
from workers.transport.sources import actor_log

ARM = Actor("arm", 7, "robot-pc")


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No log is opened before this is set."""
    ready = threading.Event()
    real: Callable[[int], None] = os.fdatasync

    def sync(file: int) -> None:
        ready.wait(10)
        real(file)

    monkeypatch.setattr("workers.transport.segment_writer.os.fdatasync", sync)
    return ready


async def test_a_stream_that_breaks_while_its_log_is_opened_leaves_no_lock_file_or_thread(
    tmp_path: Path, slow_disk: threading.Event
) -> None:
    actors = Actors(tmp_path, FEATURES, lambda event: None)
    files, threads = len(os.listdir("/proc/self/fd")), set(threading.enumerate())
    for _ in range(3):
        entering = asyncio.create_task(actors.enter(ARM, pb.PolicyOffer()))
        await asyncio.sleep(0.1)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
    slow_disk.set()
    session = await asyncio.wait_for(actors.enter(ARM, pb.PolicyOffer()), 5)
    assert session.alive
    await actors.close()
    await until(lambda: set(threading.enumerate()) <= threads)  # some of those before may have ended
    assert len(os.listdir("/proc/self/fd")) <= files


async def test_an_opening_that_goes_on_alone_is_over_when_all_are_closed(
    tmp_path: Path, slow_disk: threading.Event
) -> None:
    actors = Actors(tmp_path, FEATURES, lambda event: None)
    entering = asyncio.create_task(actors.enter(ARM, pb.PolicyOffer()))
    await asyncio.sleep(0.1)
    entering.cancel()
    asyncio.get_running_loop().call_later(0.2, slow_disk.set)
    await actors.close()
    ReplicaWriter(actor_log(tmp_path, "arm", 7), FEATURES, 7).close()


def test_a_copy_that_cannot_be_synced_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.segment_writer.os.fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            ReplicaWriter(tmp_path, FEATURES, 7)
    ReplicaWriter(tmp_path, FEATURES, 7).close()
