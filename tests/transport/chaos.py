"""Writer, link worker and ingest worker as processes of their own, and what can happen to them and between them."""

import asyncio
import itertools
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.emulators.tcp_proxy import TcpProxy
from tests.transport.linked import admits, config_in, free_port, join, log_bytes, records
from workers.config import Config
from workers.runtime.harness import Desk, run
from workers.runtime.mailbox import Mailbox
from workers.runtime.shared import Beat
from workers.transport.ingest_worker import main as ingest_main
from workers.transport.link_worker import main as link_main
from workers.transport.log import LogReader, LogWriter
from workers.transport.log_format import read_epoch
from workers.transport.record import FeatureSpec
from workers.transport.sources import actor_log

SPAWN = multiprocessing.get_context("spawn")
CALM_S = (0.2, 1.0)
FAULT_S = (0.3, 3.0)


def writer_main(desk: Desk, config: Config, features: FeatureSpec, total: int, hz: float) -> None:
    """An actor that only writes: `total` records, across however many lives."""
    with LogWriter(config.run_dir / "log", features) as log:
        deadline = time.monotonic()
        for record in itertools.islice(records(features, log.last_episode + 1), max(0, total - log.next_seq)):
            if not desk.alive():
                return
            log.append(record)
            deadline += 1 / hz
            time.sleep(max(0.0, deadline - time.monotonic()))
    while desk.alive():
        time.sleep(0.05)


class Worker:
    """One process, started again when it is killed."""

    desk: Desk

    def __init__(self, name: str, config: Config, main: Callable[..., None], *arguments: Any) -> None:
        self.name = name
        self._config = config
        self._main = main
        self._arguments = arguments
        self._process: Any = None

    def start(self) -> None:
        desk = Desk(self.name, self._config.run_dir, Mailbox(SPAWN), Beat(SPAWN))
        self.desk = desk  # its queues live as long as the process
        self._process = SPAWN.Process(
            target=run, args=(desk, self._main, (self._config, *self._arguments)), daemon=True
        )
        self._process.start()

    async def kill(self) -> None:
        self._process.kill()
        await asyncio.to_thread(self._process.join)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)


class Chaos:
    """A run under faults. `finish` waits until the learner has everything."""

    def __init__(self, folder: Path, features: FeatureSpec, total: int, hz: float) -> None:
        port = free_port()
        self.proxy = TcpProxy(port)
        self._port = port
        self._total = total
        self._folder = folder
        self._features = features
        self._hz = hz
        self._workers: dict[str, Worker] = {}
        self.log: list[str] = []
        """The faults so far."""

    async def start(self) -> None:
        await self.proxy.start()
        join(self.proxy.port)
        self._robot = config_in(self._folder / "robot", self.proxy.port)
        self._learner = config_in(self._folder / "learner", self._port)
        self._workers = {
            "writer": Worker("writer", self._robot, writer_main, self._features, self._total, self._hz),
            "link": Worker("link", self._robot, link_main),
            "ingest": Worker("ingest", self._learner, ingest_main, f"127.0.0.1:{self._port}", self._features),
        }
        for worker in self._workers.values():
            worker.start()
        deadline = time.monotonic() + 30
        while not (self.copied() and admits(self._port)) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def strike(self, fault: str, random: random.Random) -> None:
        """One fault, and its end."""
        self.log.append(fault)
        kind, _, name = fault.partition(" ")
        lasting_s = random.uniform(*FAULT_S)
        if kind == "kill":
            await self._workers[name].kill()
            self._workers[name].start()
        elif kind == "stop":
            self._workers[name].signal(signal.SIGSTOP)
            await asyncio.sleep(lasting_s)
            self._workers[name].signal(signal.SIGCONT)
        else:
            {
                "cut": self.proxy.cut,
                "hole": self.proxy.black_hole,
                "throttle": lambda: self.proxy.throttle(1_000_000),
            }[kind]()
            await asyncio.sleep(lasting_s)
            self.proxy.restore()
        await asyncio.sleep(random.uniform(*CALM_S))

    def copied(self) -> int:
        """Records on the learner's disk."""
        return len(LogReader(self._copy()).read_new()) if self._copy().is_dir() else 0

    def _copy(self) -> Path:
        epoch = read_epoch(self._robot.run_dir / "log")
        return actor_log(self._learner.run_dir, "arm", epoch or 0)

    async def finish(self, within_s: float) -> None:
        """Until the writer is done and the learner has it all."""
        deadline = time.monotonic() + within_s
        while (copied := self.copied()) < self._total:
            assert time.monotonic() < deadline, f"{copied} of {self._total} after {self.log}"
            await asyncio.sleep(0.2)

    def verdict(self) -> tuple[bool, list[int]]:
        """Whether both logs are the same byte for byte, and the sequence numbers the learner has."""
        same = log_bytes(self._copy()) == log_bytes(self._robot.run_dir / "log")
        return same, [record.seq for record in LogReader(self._copy()).read_new()]

    async def stop(self) -> None:
        for worker in self._workers.values():
            await worker.kill()
        await self.proxy.stop()


FAULTS = (
    *(f"{kind} {name}" for kind in ("kill", "stop") for name in ("writer", "link", "ingest")),
    "cut", "hole", "throttle",
)  # fmt: skip


async def survive(
    folder: Path, features: FeatureSpec, faults: list[str], seed: int, hz: float, total: int
) -> None:
    """All faults while the writer writes; then nothing is lost, nothing is doubled, and the order is kept."""
    rng = random.Random(seed)
    chaos = Chaos(folder, features, total, hz)
    try:
        await chaos.start()
        for fault in faults:
            await chaos.strike(fault, rng)
        await chaos.finish(within_s=60)
        same, seqs = chaos.verdict()
        assert seqs == list(range(total)), chaos.log
        assert same, chaos.log
    finally:
        await chaos.stop()
