"""A robot PC and a learner's machine in one process, with a bad network between them."""

import asyncio
import contextlib
import itertools
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from tests.emulators.tcp_proxy import TcpProxy
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.model.events import Event, LinkChanged, LinkState
from workers.model.orders import Order
from workers.transport.certificate import own_identity
from workers.transport.channel import Credential, NotJoined, credential_for, keep
from workers.transport.credentials import state_dir
from workers.transport.ingest_worker import IngestWorker
from workers.transport.link_worker import LinkWorker
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Record, Step
from workers.transport.sources import actor_log, logs_of
from workers.transport.tokens import SessionTokens

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=16, width=16)
E = TypeVar("E", bound=Event)


def free_port() -> int:
    """A port that nobody takes by chance before its server does: below those of outgoing connections (32768 and up)."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def config_in(folder: Path, port: int, **link: object) -> Config:
    """A run below `folder` whose learner is at this loopback port."""
    table: Any = msgspec.to_builtins(load(ready_config()))
    table["run"] |= {"directory": str(folder), "name": "run"}
    table["policy"]["actor_learner_config"] |= {"learner_host": "127.0.0.1", "learner_port": port} | link
    config = msgspec.convert(table, Config)
    config.run_dir.mkdir(parents=True, exist_ok=True)
    return config


def join(port: int) -> None:
    """What `hilserl-tui join` leaves on a robot PC, for a learner reached through this port."""
    learner = state_dir() / "learner"
    certificate = own_identity(learner).certificate.decode()
    token = SessionTokens(learner).issue("tests")
    keep(Credential(f"127.0.0.1:{port}", certificate, token, "run"))


def records(features: FeatureSpec, first_episode: int = 0) -> "itertools.chain[Record]":
    """Episodes of ten steps without end; every record has pictures of its own."""
    return itertools.chain.from_iterable(_episode(features, n) for n in itertools.count(first_episode))


def _episode(features: FeatureSpec, episode: int) -> list[Record]:
    rng = np.random.default_rng(episode)
    state = rng.normal(size=features.state_dim).astype(np.float32)
    images = rng.integers(0, 256, features.image_shape, np.uint8)
    step = Step(
        episode=episode, step=0, state=state, images=images, action=np.zeros(features.action_dim, np.float32),
        reward=0.0, terminated=False, truncated=False,
    )  # fmt: skip
    steps: list[Record] = [replace(step, step=number, images=images + number) for number in range(10)]
    return [*steps, EpisodeEnd(episode=episode, outcome=Outcome.SUCCESS, state=state, images=images)]


class FakeDesk:
    """Desk and mailbox of a worker that runs in the test's own event loop."""

    def __init__(self) -> None:
        self.mailbox = self
        self.events: list[Event] = []
        self.orders: deque[Order] = deque()
        self.quitting = False

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def next_order(self, timeout_s: float = 0.0) -> Order | None:
        return self.orders.popleft() if self.orders else None

    def alive(self) -> bool:
        return not self.quitting

    def of(self, kind: type[E]) -> list[E]:
        """Events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]


class Learner:
    """An ingest worker."""

    def __init__(self, folder: Path, port: int, features: FeatureSpec = FEATURES) -> None:
        self.config = config_in(folder, port)
        self.port = port
        self.features = features
        self.desk = FakeDesk()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.desk.quitting = False
        worker = IngestWorker(self.desk, self.config, self.features)  # type: ignore[arg-type]
        self._task = asyncio.create_task(worker.serve(f"127.0.0.1:{self.port}"))
        await until(lambda: self._running() and admits(self.port))

    def _running(self) -> bool:
        if self._task is not None and self._task.done():
            self._task.result()
        return True

    async def stop(self) -> None:
        self.desk.quitting = True
        if self._task is not None:
            await self._task
            self._task = None

    def logs(self) -> dict[str, Path]:
        return logs_of(self.config.run_dir)

    def log_of(self, robot: "Robot") -> Path:
        link = robot.config.policy.actor_learner_config
        return actor_log(self.config.run_dir, link.actor_id, robot.log.epoch)


class Robot:
    """An actor's log and a link worker."""

    def __init__(self, folder: Path, port: int, features: FeatureSpec = FEATURES, **link: object) -> None:
        self.config = config_in(folder, port, **link)
        self.desk = FakeDesk()
        self.log = LogWriter(self.config.run_dir / "log", features)
        self._records = records(features)
        self._task: asyncio.Task[None] | None = None

    def append(self, count: int) -> None:
        for record in itertools.islice(self._records, count):
            self.log.append(record)

    async def start(self) -> None:
        self.desk.quitting = False
        self._task = asyncio.create_task(LinkWorker(self.desk, self.config).run())  # type: ignore[arg-type]

    async def stop(self) -> None:
        self.desk.quitting = True
        if self._task is not None:
            await self._task
            self._task = None

    @property
    def link(self) -> LinkChanged:
        """Newest state of the link."""
        return (self.desk.of(LinkChanged) or [LinkChanged(LinkState.CONNECTING, "")])[-1]

    async def until_state(self, state: LinkState, within_s: float = 10.0) -> LinkChanged:
        await until(lambda: self.link.state is state, within_s, lambda: str(self.link))
        return self.link


class Linked:
    """One robot, one learner, a proxy between."""

    def __init__(self, folder: Path, **link: object) -> None:
        self.folder = folder
        self.learner = Learner(folder / "learner", free_port())
        self.proxy = TcpProxy(self.learner.port)
        self._link = link
        self.robots: list[Robot] = []

    async def start(self) -> "Linked":
        await self.proxy.start()
        join(self.proxy.port)
        await self.learner.start()
        return self

    async def add_robot(self, name: str = "robot", **link: object) -> Robot:
        robot = Robot(self.folder / name, self.proxy.port, **{**self._link, **link})
        self.robots.append(robot)
        await robot.start()
        return robot

    async def until_copied(self, robot: Robot, within_s: float = 10.0) -> None:
        """Until everything the robot recorded is at the learner, byte for byte."""
        there = self.learner.log_of(robot)
        here = robot.config.run_dir / "log"
        await until(lambda: log_bytes(there) == log_bytes(here), within_s, lambda: str(robot.link))

    async def stop(self) -> None:
        for robot in self.robots:
            await robot.stop()
        await self.learner.stop()
        await self.proxy.stop()


def log_bytes(directory: Path) -> bytes:
    """All records of a log."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob("*.seg")))


def admits(port: int) -> bool:
    """Whether a learner of this user serves at this loopback port."""
    try:
        return bool(credential_for(f"127.0.0.1:{port}"))
    except NotJoined:
        return False


async def until(
    condition: Callable[[], bool], within_s: float = 10.0, told: Callable[[], str] = lambda: ""
) -> None:
    """Wait until `condition`; fails with what `told` says."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {told()}"
        await asyncio.sleep(0.02)
