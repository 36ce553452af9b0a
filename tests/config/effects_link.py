"""Effects of [policy.actor_learner_config]: where the learner is, who the actor is there, how pictures travel."""

import asyncio
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.config.effect_tools import Effect, FakeDesk, rounds
from tests.config.effects_learning import session
from tests.transport import linked
from workers.config import Config
from workers.learner.worker import Loop
from workers.model.events import LinkChanged
from workers.model.orders import AnyOrder
from workers.station.crew import crew
from workers.station.serving import address_of
from workers.transport.ingest_worker import IngestWorker
from workers.transport.link_worker import LinkWorker
from workers.transport.log import LogWriter
from workers.transport.sources import logs_of

RECORDS = 12


def learns_where(config: Config, folder: Path) -> Any:
    """Which code stands for the learner in a run's crew."""
    return [(spec.name, spec.main.__name__, spec.main.__module__) for spec in crew(config, None)]  # type: ignore[arg-type]


def addresses(config: Config, folder: Path) -> Any:
    """Where a learner of this configuration listens, and where its robot PC looks for it."""

    async def looked_for() -> str:
        LogWriter(config.run_dir / "log", linked.FEATURES).close()
        desk = linked.FakeDesk()
        link = asyncio.create_task(LinkWorker(desk, config).run())  # type: ignore[arg-type]
        await linked.until(lambda: bool(desk.of(LinkChanged)))
        desk.quitting = True
        await link
        return desk.of(LinkChanged)[0].learner

    return [address_of(config, None), asyncio.run(looked_for())]


def sent(config: Config, folder: Path) -> Any:
    """Names of the logs at a learner, and how many bytes they have, once it has all records of an actor."""
    port = linked.free_port()
    link = replace(config.policy.actor_learner_config, learner_host="127.0.0.1", learner_port=port)
    robot = replace(config, policy=replace(config.policy, actor_learner_config=link))
    server = replace(robot, run=replace(robot.run, directory=str(folder / "server")))
    return asyncio.run(_sent(robot, server, port))


async def _sent(robot: Config, server: Config, port: int) -> Any:
    here, there = linked.FakeDesk(), linked.FakeDesk()
    log = LogWriter(robot.run_dir / "log", linked.FEATURES)
    made = linked.records(linked.FEATURES)
    for _ in range(RECORDS):
        log.append(next(made))
    ingest = IngestWorker(there, server, linked.FEATURES)  # type: ignore[arg-type]
    tasks = [
        asyncio.create_task(ingest.serve(f"127.0.0.1:{port}")),
        asyncio.create_task(LinkWorker(here, robot).run()),  # type: ignore[arg-type]
    ]

    def arrived() -> bool:
        seen = here.of(LinkChanged)
        return bool(seen) and seen[-1].records_per_s > 0 and seen[-1].backlog == 0

    await linked.until(arrived, 20.0, lambda: str(here.of(LinkChanged)[-1:]))
    here.quitting = there.quitting = True
    await asyncio.gather(*tasks)
    log.close()
    return {
        name.rpartition("-")[0]: len(linked.log_bytes(path)) for name, path in logs_of(server.run_dir).items()
    }


class SleepyDesk(FakeDesk):
    """Notes how long a worker would sleep for an order."""

    longest_s = 0.0

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        self.longest_s = max(self.longest_s, timeout_s)
        return super().next_order(timeout_s)


def slept(config: Config, folder: Path) -> float:
    """Longest sleep, to a tenth of a second, of a learner that may not learn yet."""
    made = session(config)
    desk = SleepyDesk([], rounds(3))
    Loop(desk, config, made).run()  # type: ignore[arg-type]
    made.close()
    return round(desk.longest_s, 1)


HERE = "127.0.0.1"
EFFECTS = {
    "policy.actor_learner_config.learner_host": Effect((None, HERE), learns_where),
    "policy.actor_learner_config.learner_port": Effect(
        (50051, 50052), addresses, {"policy.actor_learner_config.learner_host": HERE}
    ),
    "policy.actor_learner_config.actor_id": Effect(("arm", "left"), sent),
    "policy.actor_learner_config.image_format": Effect(("raw", "jpeg"), sent),
    "policy.actor_learner_config.queue_get_timeout": Effect((0.2, 0.7), slept),
}
