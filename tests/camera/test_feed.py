"""A feed keeps the newest picture, says what happens to its camera, and opens it again when it was lost."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from workers.camera.drivers.source import CameraGone, CameraUnfit, Mode, Shot, Source
from workers.camera.feed import Feed
from workers.model.events import Level

LIMIT_S = 20.0


class Scripted:
    """A source whose pictures are what `script` yields: numbers, None for a damaged one; at its end it is gone."""

    mode = Mode(4, 4, 30.0, "MJPG")

    def __init__(self, script: Iterator[int | None]) -> None:
        self.broken = 0
        self.threads: set[int] = set()
        self.closed = False
        self._script = script

    def shoot(self) -> Shot | None:
        self.threads.add(threading.get_ident())
        try:
            value = next(self._script)
        except StopIteration:
            raise CameraGone("unplugged") from None
        if value is None:
            self.broken += 1
            return None
        return Shot(np.full((4, 4, 3), value, np.uint8), value)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def feeds() -> Iterator[list[Feed]]:
    made: list[Feed] = []
    yield made
    for feed in made:
        feed.close()


def waiting(values: list[int | None], goes_on: threading.Event) -> Iterator[int | None]:
    yield from values
    assert goes_on.wait(LIMIT_S)


def test_only_the_newest_picture_is_kept_and_given_once(feeds: list[Feed]) -> None:
    goes_on = threading.Event()
    source = Scripted(waiting([1, 2, None, 3], goes_on))
    feed = Feed(lambda: source)
    feeds.append(feed)
    until(lambda: feed.dropped == 3)
    shot = feed.take(LIMIT_S)
    assert shot is not None and shot.captured_ns == 3
    assert feed.take(0.01) is None
    goes_on.set()


def test_a_lost_camera_is_said_and_opened_again_by_the_thread_that_owns_it(feeds: list[Feed]) -> None:
    goes_on, ends = threading.Event(), threading.Event()
    sources: list[Scripted] = []

    def open_source() -> Source:
        if len(sources) == 1 and not goes_on.is_set():
            raise CameraGone("there is no camera")
        sources.append(Scripted(iter([5]) if not sources else waiting([6], ends)))
        return sources[-1]

    feed = Feed(open_source, retry_s=0.02)
    feeds.append(feed)
    until(lambda: len(feed.notices) == 3)
    assert [(notice.level, notice.text.split(";")[0]) for notice in feed.notices] == [
        (Level.INFO, "it gives 4x4 at 30 fps (MJPG)"),
        (Level.WARNING, "lost: unplugged"),
        (Level.WARNING, "there is no camera"),
    ]
    time.sleep(0.1)
    assert len(feed.notices) == 3, "the same trouble is said once"
    goes_on.set()
    until(lambda: len(feed.notices) == 4)
    assert feed.notices[-1].text == "back: it gives 4x4 at 30 fps (MJPG)"
    assert sources[0].closed and len(sources[0].threads) == 1
    ends.set()


def test_what_is_no_camera_s_trouble_ends_the_worker(feeds: list[Feed]) -> None:
    def open_source() -> Source:
        raise MemoryError("no room for a picture")

    feed = Feed(open_source)
    feeds.append(feed)
    with pytest.raises(MemoryError):
        until(lambda: feed.take(0.01) is not None)


def test_a_camera_that_gives_something_else_is_refused_at_its_first_opening(feeds: list[Feed]) -> None:
    def open_source() -> Source:
        raise CameraUnfit("it gives 320x240, not 640x480")

    feed = Feed(open_source)
    feeds.append(feed)
    until(lambda: bool(feed.refused))
    assert feed.refused == "it gives 320x240, not 640x480" and not feed.notices


def test_a_camera_that_comes_back_as_another_is_waited_for(feeds: list[Feed]) -> None:
    opened = 0

    def open_source() -> Source:
        nonlocal opened
        opened += 1
        if opened > 1:
            raise CameraUnfit("it gives 320x240, not 640x480")
        return Scripted(iter([1]))

    feed = Feed(open_source, retry_s=0.01)
    feeds.append(feed)
    until(lambda: opened > 3)
    assert not feed.refused
    assert feed.notices[-1].text == "it gives 320x240, not 640x480"
