"""A station of a made-up run for benchmarks of the console: it speaks the wire, and says as much as it is told to.

It runs in a thread of its own; a real `hilserl-tui attach` finds it.
"""

import asyncio
import fcntl
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.console import demo
from tests.console.fake_station import FakeStation
from workers.model import commands as c
from workers.model import events as e
from workers.model.places import StationLock, announce, lock_path, socket_path, write_lock
from workers.model.reduce import reduce
from workers.model.wire import PROTOCOL_VERSION

PERIOD_S = 0.1
PICTURE_EVERY = 2  # periods: 5 pictures a second of each camera
FLUSH_S = 0.03  # as the real station sends what has gathered


class MadeUpStation:
    """`pictures` and `lines_per_s` say what it tells besides the text of every pane, ten times a second."""

    def __init__(self, folder: Path, driver: e.Driver = e.Driver.POLICY) -> None:
        self.run_dir = folder / "made-up"
        self.run_dir.mkdir()
        self.hush()
        self._driver = driver
        self._station: FakeStation | None = None
        self._scenes: dict[int, list[bytes]] = {}
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MadeUpStation":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def station(self) -> FakeStation:
        assert self._station is not None
        return self._station

    @property
    def asked(self) -> int:
        """Pixels of a picture's side, as the console wants them; 0: it shows none."""
        sizes = [command for _, command in self.station.received if isinstance(command, c.ShowCameras)]
        return sizes[-1].width if sizes else 0

    def hush(self) -> None:
        """Say nothing any more."""
        self.talks = self.pictures = False
        self.lines_per_s = 0
        self.clock = False  # log lines "clock 12345 ms": the time of this moment

    def jogs(self) -> list[tuple[float, c.Jog]]:
        """When each came, on the monotonic clock."""
        return [(at_s, command) for at_s, command in self.station.received if isinstance(command, c.Jog)]

    def _run(self) -> None:
        lock = StationLock(0, PROTOCOL_VERSION, str(socket_path(self.run_dir)), "made-up.toml", "made-up")
        write_lock(self.run_dir, lock)
        pointer = announce(self.run_dir)
        state = reduce(demo.training(self._driver), e.OperatorChanged(False, 0, ""))
        self._station = FakeStation(socket_path(self.run_dir), state)
        with lock_path(self.run_dir).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self._loop.run_until_complete(self._station.start())
            tasks = [self._loop.create_task(work) for work in (self._talk(), self._log())]
            self._ready.set()
            self._loop.run_forever()
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._station.die())
        pointer.unlink()

    async def _talk(self) -> None:
        """Ten times a second something new in every pane."""
        number = 0
        while True:
            await asyncio.sleep(PERIOD_S)
            self._hand_over()
            if not self.talks:
                continue
            number += 1
            self.station.say(*self._news(number))

    def _hand_over(self) -> None:
        """The controls to who takes them."""
        takes = [command for _, command in self.station.received if isinstance(command, c.TakeControl)]
        if takes and self.station.state.control.holder != takes[-1].console:
            self.station.say(e.OperatorChanged(False, 1, takes[-1].console))

    def _news(self, number: int) -> Iterator[e.Event]:
        t = number * PERIOD_S
        where = (0.25 + 0.09 * math.sin(t), 0.11 * math.sin(1.7 * t), 0.12 + 0.08 * math.cos(t))
        yield e.ArmMoved(where, 50 + 45 * math.sin(t), e.GateMode.ENGAGED, at_s=time.monotonic())
        yield e.StepTaken(84, number % 100 + 1, 100, 0.0, self._driver)
        if number % 100 == 99:
            yield e.EpisodeEnded(84, e.EpisodeKind.TRAINING, 1.0, 100, 12, 1, e.EndedBy.SUCCESS, 10.0, 38)
        for worker, (hz, p99) in demo.RATES.items():
            yield e.LoopRate(worker, hz + number % 10 / 10, 1000 / hz, p99 + number % 7, number)
        losses = {"critic_loss": 0.01 + number % 9 / 1e3, "temperature": 0.007, "entropy": 1.6}
        yield e.LearnerProgress(10_000 + number, 5_000 + number, 1.98, 21.4, 38, "training", losses)
        yield e.BufferFilled(5_212 + number, 1_840, 1_040, 800, 412_000_000)
        words = f"clock {time.monotonic_ns() // 1_000_000} ms" if self.clock else f"step {number}"
        yield e.LogLine("actor", e.Level.INFO, words, time.time())
        if self.pictures and number % PICTURE_EVERY == 0 and (side := self.asked):
            for camera, scene in zip(demo.OPENED.cameras, self._moving_gripper(side), strict=True):
                yield e.FramePreview(camera, side, side, scene[number // PICTURE_EVERY % len(scene)], t)

    def _moving_gripper(self, side: int) -> tuple[list[bytes], list[bytes]]:
        """5 s of each camera: made once, since it takes its time."""
        if side not in self._scenes:
            for name in demo.OPENED.cameras:
                key = side if name == demo.OPENED.cameras[0] else -side
                self._scenes[key] = [demo.picture(name, n / 5, side) for n in range(25)]
        return self._scenes[side], self._scenes[-side]

    async def _log(self) -> None:
        """Lines of log as fast as wanted, sent in batches as the real station does."""
        while True:
            await asyncio.sleep(FLUSH_S)
            if number := round(self.lines_per_s * FLUSH_S):
                line = "policy pushed to the actor, critic loss 0.0123, " + "x" * 40
                self.station.say(*(e.LogLine("learner", e.Level.INFO, line, time.time()),) * number)
