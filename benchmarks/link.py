"""The link between an actor and a learner elsewhere, as processes on one machine with a TCP proxy between them.

Bytes on the wire (TLS, acknowledgements and heartbeats included, both directions), how fast a backlog drains, how soon
a record is acknowledged, what a policy weighs, and what it all costs a loop that appends at 10 Hz.

Run: python -m benchmarks.link [--backlog RECORDS] [--json FILE]       (two minutes; 600 MB of disk, twice)
"""

import argparse
import asyncio
import itertools
import json
import os
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch

from benchmarks import as_json
from tests.emulators.tcp_proxy import TcpProxy
from tests.transport.chaos import Worker
from tests.transport.linked import admits, config_in, free_port, join, log_bytes
from workers.actor.sim_env import sim_env
from workers.config import Config, PolicyConfig, load
from workers.config.ready import ready_config
from workers.learner.sac import SAC
from workers.learner.sac_state import frozen_tensors, policy_tensors
from workers.model.orders import TakePolicy
from workers.runtime.harness import Desk
from workers.transport.channel import dial
from workers.transport.codec import encode
from workers.transport.ingest_worker import main as ingest_main
from workers.transport.link_worker import main as link_main
from workers.transport.log import LogReader, LogWriter
from workers.transport.log_format import PackedRecord, read_epoch
from workers.transport.pb import learner_pb2 as pb
from workers.transport.pb import learner_pb2_grpc
from workers.transport.record import FeatureSpec, Step
from workers.transport.shelf import PolicyShelf
from workers.transport.sources import actor_log
from workers.transport.wire import network_settings, to_message

FEATURES = FeatureSpec(state_dim=22, cameras=("front", "side"), height=128, width=128)
HZ = 10.0


def walk(count: int) -> list[Step]:
    """Steps of a random walk in the simulator, two cameras."""
    env = sim_env(load(ready_config()))[0]
    rng = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    steps = []
    for number in range(count):
        images = [observation[f"observation.images.{camera}"] for camera in FEATURES.cameras]
        action = np.array([*rng.uniform(-1, 1, 3), rng.integers(3)], np.float32)
        steps.append(
            Step(
                episode=0, step=number, state=observation["observation.state"], images=np.stack(images),
                action=action, reward=0.0, terminated=False, truncated=False,
            )
        )  # fmt: skip
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation, _ = env.reset()
    env.close()
    return steps


class Pair:
    """Link and ingest worker, each a process, with a proxy that counts."""

    def __init__(self, folder: Path, **link: object) -> None:
        self.port = free_port()
        self.proxy = TcpProxy(self.port)
        self._folder = folder
        self._link = link
        self.workers: list[Worker] = []

    async def start(self) -> None:
        await self.proxy.start()
        join(self.proxy.port)
        self.robot = config_in(self._folder / "robot", self.proxy.port, **self._link)
        self.learner = config_in(self._folder / "learner", self.port)
        self.ingest = self._worker("ingest", self.learner, f"127.0.0.1:{self.port}")
        self.ingest.start()
        while not admits(self.port):
            await asyncio.sleep(0.05)

    def _worker(self, name: str, config: Config, *arguments: str) -> Worker:
        worker = (
            Worker(name, config, ingest_main, *arguments, FEATURES)
            if arguments
            else Worker(name, config, link_main)
        )
        self.workers.append(worker)
        return worker

    def start_link(self) -> None:
        self._worker("link", self.robot).start()

    def copied_bytes(self) -> int:
        """Of the actor's log, on the learner's disk."""
        log = actor_log(self.learner.run_dir, "arm", read_epoch(self.robot.run_dir / "log") or 0)
        return sum(path.stat().st_size for path in log.glob("*.seg")) if log.is_dir() else 0

    def copied(self) -> int:
        log = actor_log(self.learner.run_dir, "arm", read_epoch(self.robot.run_dir / "log") or 0)
        return len(LogReader(log).read_new()) if log.is_dir() else 0

    @property
    def wire_bytes(self) -> int:
        return self.proxy.up_bytes + self.proxy.down_bytes

    async def stop(self) -> None:
        for worker in self.workers:
            await worker.kill()
        await self.proxy.stop()


async def bytes_per_transition(folder: Path, image_format: str, steps: list[Step]) -> float:
    """Sent as they come, ten a second; the handshake is not counted, everything after it is."""
    pair = Pair(folder, image_format=image_format)
    await pair.start()
    with LogWriter(pair.robot.run_dir / "log", FEATURES) as log:
        pair.start_link()
        log.append(steps[0])
        while pair.copied() < 1:
            await asyncio.sleep(0.05)
        before = pair.wire_bytes
        for step in steps[1:]:
            log.append(step)
            await asyncio.sleep(1 / HZ)
        while pair.copied() < len(steps):
            await asyncio.sleep(0.05)
    await pair.stop()
    return (pair.wire_bytes - before) / (len(steps) - 1)


async def drain_s(folder: Path, steps: list[Step], backlog: int) -> float:
    """From the start of the link worker's process to its whole log on the learner's disk, byte for byte."""
    pair = Pair(folder)
    await pair.start()
    with LogWriter(pair.robot.run_dir / "log", FEATURES) as log:
        for step in itertools.islice(itertools.cycle(steps), backlog):
            log.append(step)
    whole = sum(path.stat().st_size for path in (pair.robot.run_dir / "log").glob("*.seg"))
    begun = time.perf_counter()
    pair.start_link()
    while pair.copied_bytes() < whole:
        await asyncio.sleep(0.05)
    took = time.perf_counter() - begun
    await pair.stop()
    [copy] = (pair.learner.run_dir / "actors").iterdir()
    assert log_bytes(copy) == log_bytes(pair.robot.run_dir / "log"), "the copy differs"
    return took


async def acknowledged_ms(folder: Path, steps: list[Step]) -> list[float]:
    """From writing one record to the stream until the learner says that it is on its disk."""
    pair = Pair(folder)
    await pair.start()
    times = []
    async with dial(f"127.0.0.1:{pair.port}") as channel:
        call = learner_pb2_grpc.LearnerStub(channel).Link()
        await call.write(
            pb.FromActor(
                hello=pb.Hello(
                    protocol_major=1, run="run", actor_id="arm", epoch=1, features=msgspec.json.encode(FEATURES),
                    networks=msgspec.json.encode(network_settings(pair.learner.policy)),
                )
            )
        )  # fmt: skip
        await call.read()
        for seq, step in enumerate(steps):
            kind, payload = encode(step, FEATURES)
            record = PackedRecord(kind, 0, seq, payload, zlib.crc32(payload))
            begun = time.perf_counter()
            await call.write(pb.FromActor(records=to_message([record])))
            while (await call.read()).ack.next_seq <= seq:
                pass
            times.append(1e3 * (time.perf_counter() - begun))
        call.cancel()
    await pair.stop()
    return times


async def policy_bytes(folder: Path, encoder: str) -> list[int]:
    """Two policies that differ as by some updates, each from the offer to the robot PC's shelf: bytes on the wire."""
    pair = Pair(folder)
    await pair.start()
    config = pair.learner
    settings = config.policy
    if encoder != "cnn":
        settings = PolicyConfig(vision_encoder_name=encoder, image_embedding_pooling_dim=8)
    sac = SAC(FEATURES, settings, config.algorithm, seed=0, device="cpu", pretrained=False)
    with LogWriter(pair.robot.run_dir / "log", FEATURES):
        pair.start_link()
        while pair.proxy.down_bytes < 3000:
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)
        sizes = []
        for version in (1, 2):
            before = pair.wire_bytes
            shelf = PolicyShelf(config.run_dir / "policy")
            if frozen := frozen_tensors(sac):
                shelf.publish_frozen(frozen)
            shelf.publish(version, policy_tensors(sac, include_frozen=False))
            pair.ingest.desk.mailbox.give(TakePolicy(version))
            while version not in PolicyShelf(pair.robot.run_dir / "policy").versions():
                await asyncio.sleep(0.05)
            sizes.append(pair.wire_bytes - before)
            with torch.no_grad():
                for network in sac.networks.values():
                    for parameter in filter(lambda one: one.requires_grad, network.parameters()):
                        parameter.add_(torch.randn_like(parameter), alpha=1e-3)
    await pair.stop()
    return sizes


def appending_loop(desk: Desk, config: Config, result: str, seconds: float) -> None:
    """Ten appends a second on absolute deadlines; how late each one ends."""
    step = Step(
        episode=0, step=0, state=np.zeros(22, np.float32), images=np.zeros(FEATURES.image_shape, np.uint8),
        action=np.zeros(4, np.float32), reward=0.0, terminated=False, truncated=False,
    )  # fmt: skip
    late = []
    with LogWriter(config.run_dir / "log", FEATURES) as log:
        deadline = time.monotonic()
        for _ in range(int(seconds * HZ)):
            deadline += 1 / HZ
            time.sleep(max(0.0, deadline - time.monotonic()))
            log.append(step)
            late.append(1e3 * (time.monotonic() - deadline))
    Path(result).write_text(json.dumps(late))


async def lateness_ms(folder: Path, linked: bool, cuts: bool, seconds: float) -> list[float]:
    """Of every append of such a loop, in a process of its own."""
    pair = Pair(folder)
    await pair.start()
    result = folder / "late.json"
    loop = Worker("actor", pair.robot, appending_loop, str(result), seconds)
    pair.workers.append(loop)
    if linked:
        pair.start_link()
        await asyncio.sleep(2.0)
    loop.start()
    while not result.exists():
        await asyncio.sleep(1.5)
        if cuts:
            pair.proxy.cut()
            await asyncio.sleep(0.5)
            pair.proxy.restore()
    await pair.stop()
    found: list[float] = json.loads(result.read_text())
    return found


def folders() -> Iterator[Path]:
    """A fresh folder for each measurement, with a state directory of its own; removed when the next is asked for."""
    while True:
        with tempfile.TemporaryDirectory(prefix="link-") as folder:
            os.environ["XDG_CONFIG_HOME"] = f"{folder}/xdg"
            yield Path(folder)


class Table:
    """Prints a row as soon as it is measured, and keeps what was measured."""

    def __init__(self) -> None:
        self.figures: dict[str, float | dict[str, float]] = {}

    def row(self, what: str, figure: str, measured: float | dict[str, float], wanted: str = "") -> None:
        print(f"{what:58}{figure:>18}   {wanted}", flush=True)
        self.figures[what.strip()] = measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--backlog", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each 10 Hz loop")
    as_json.add_option(parser)
    options = parser.parse_args()
    steps, fresh, table = walk(120), folders(), Table()
    for image_format, wanted in (("raw", "<= 100 kB"), ("jpeg", "<= 20 kB")):
        size = asyncio.run(bytes_per_transition(next(fresh), image_format, steps))
        table.row(f"bytes a transition, two 128x128 cameras, {image_format}", f"{size:,.0f}", size, wanted)
    took = asyncio.run(drain_s(next(fresh), steps, options.backlog))
    table.row(f"backlog of {options.backlog} records at 10 Hz, drained in", f"{took:.1f} s", took)
    times_faster = options.backlog / HZ / took
    table.row("  times faster than it was recorded", f"{times_faster:.0f} x", times_faster, ">= 10 x")
    times = sorted(asyncio.run(acknowledged_ms(next(fresh), steps)))
    middle = {"p50_ms": times[60], "p99_ms": times[118]}
    table.row("a record is acknowledged after, p50 / p99", f"{times[60]:.1f} / {times[118]:.1f} ms", middle)
    for encoder in ("cnn", "resnet10"):
        first, second = asyncio.run(policy_bytes(next(fresh), encoder))
        frozen = encoder != "cnn"
        table.row(
            f"first policy, {encoder}, its frozen part included, bytes",
            f"{first:,}",
            first,
            "" if frozen else "<= 3 MB",
        )
        table.row(f"every policy after it, {encoder}, bytes", f"{second:,}", second, "<= 3 MB")
    for what, linked, cuts in (("no link", False, False), ("link", True, False), ("cuts", True, True)):
        late = sorted(asyncio.run(lateness_ms(next(fresh), linked, cuts, options.seconds)))
        ends = {"p50_ms": late[len(late) // 2], "p99_ms": late[int(0.99 * len(late))]}
        figure = f"{ends['p50_ms']:.2f} / {ends['p99_ms']:.2f} ms"
        table.row(f"lateness of a 10 Hz appending loop, p50 / p99, {what}", figure, ends, "within 5 ms")
    as_json.write(options, table.figures)


if __name__ == "__main__":
    main()
