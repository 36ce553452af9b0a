"""`hilserl-worker learner`: open the run, serve it to actors elsewhere, say on standard output what goes on."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workers.config import Config, ConfigError
from workers.dataset.jobs import prepared_to_learn
from workers.learner.lockstep_place import own_place
from workers.model import events as e
from workers.model.places import read_lock
from workers.model.state import ConsoleState
from workers.runtime.beginning import Beginning
from workers.runtime.tracker import start_tracker
from workers.station.check import LEARNER_DEVICES, device_problems
from workers.station.datasets import with_dataset
from workers.station.opening import (
    RunLock,
    StationRefused,
    check_beginning,
    check_disk,
    configured,
    make_run_dir,
    private_files,
)
from workers.transport.channel_address import joined, split
from workers.transport.text import printable

PROGRESS_PERIOD_S = 10.0
INVITATION_NAME = "join.txt"
INVITED_WITHIN_S = 30.0  # a learner that has just been started has its modules to load first


async def run_learner(
    path: Path,
    *,
    listen: str | None = None,
    beginning: Beginning = Beginning.AS_LEFT,
    name: str | None = None,
    seed: int | None = None,
    directory: str | None = None,
) -> int:
    """Serve the run of `path` until a signal; returns the process exit code: 1 when a worker could not go on.

    Under torchrun this is rank 0; the others have no station and follow it. Raises StationRefused when nothing
    could be started.
    """
    document, config = configured(path, name=name, seed=seed, directory=directory)
    if config.mode is not None:
        raise StationRefused(f'mode = "{config.mode}" learns nothing; leave `mode` out of {path}')
    try:
        document.refuse(device_problems(config, LEARNER_DEVICES))
    except ConfigError as error:
        raise StationRefused(str(error)) from error
    if own_place().rank > 0:
        from workers.learner.lockstep_follower import main as follow  # torch

        return follow(config)
    check_beginning(config, beginning)
    address = address_of(config, listen)
    make_run_dir(config)

    def invite() -> None:
        lines.invitation_asked()
        station.invite()

    # Before the lock tells whom to ask; whoever asks that early is heard once the station runs.
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, invite)
    with private_files(), RunLock(config, path, serves=False):
        check_disk(config.run_dir)
        with_dataset(document, config, prepared_to_learn)
        from workers.station.learner_station import LearnerStation  # the workers' modules

        start_tracker(config.run_dir)
        lines = ServingLines(config, address, say)
        station = LearnerStation(
            config, address, beginning, lambda event: lines.on_event(event, station.state)
        )
        failure = await station.run()
        (config.run_dir / INVITATION_NAME).unlink(missing_ok=True)
    lines.end(failure, station.state)
    return 1 if failure else 0


def address_of(config: Config, listen: str | None) -> str:
    """Where the learner listens: as told, the port from the configuration where only an address is given.

    Raises StationRefused when it is no address.
    """
    port = config.policy.actor_learner_config.learner_port
    if listen is None:
        return joined("127.0.0.1", port)
    bare_v6 = listen.count(":") > 1 and not listen.startswith("[")
    with contextlib.suppress(ValueError):
        return joined(*split(listen))
    try:
        return joined(*split(f"[{listen}]:{port}" if bare_v6 else f"{listen}:{port}"))
    except ValueError as error:
        raise StationRefused(
            f"--listen {listen}: it must be ADDRESS or ADDRESS:PORT, like 0.0.0.0:{port}"
        ) from error


def invite(path: Path, name: str | None, directory: str | None) -> str:
    """Have the learner that serves the run make a new join line, and return it.

    Raises StationRefused when no learner serves it, or it does not answer.
    """
    _, config = configured(path, name=name, directory=directory)
    lock = read_lock(config.run_dir)
    if lock is None or lock.socket:
        raise StationRefused(
            f"no learner serves the run {config.run.name} in {config.run_dir}. "
            f"Start one with `hilserl-worker learner --config {path}`, in the folder you start it in."
        )
    place = config.run_dir / INVITATION_NAME
    place.unlink(missing_ok=True)
    os.kill(lock.pid, signal.SIGUSR1)
    until_s = time.monotonic() + INVITED_WITHIN_S
    while not place.exists():
        if time.monotonic() > until_s:
            raise StationRefused(f"the learner (pid {lock.pid}) made no join line; look at its output")
        time.sleep(0.05)
    text = place.read_text()
    place.unlink(missing_ok=True)
    return text


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class ServingLines:
    """What somebody who looks after a learner wants to read: how to join, who is linked, figures now and then."""

    def __init__(self, config: Config, address: str, write: Callable[[str], None]) -> None:
        self._run_dir = config.run_dir
        self._write = write
        self._started_s = self._shown_s = time.monotonic()
        self._actors: tuple[tuple[str, bool], ...] = ()
        self._invitation_asked = False
        write(f"learner of the run {config.run.name}, files in {config.run_dir}, listening at {address}")

    def on_event(self, event: e.Event, state: ConsoleState) -> None:
        match event:
            case e.Invited():
                self._invited(event)
            case e.WorkerChanged(worker, worker_state, reason, restarts):
                again = f" (restart {restarts})" if restarts else ""
                self._line(f"{worker} {worker_state.value}{again}" + (f": {reason}" if reason else ""))
            case e.LogLine(worker, level, text):
                self._line(f"{level.value} {worker}: {text}")
            case e.ActorsSeen(actors):
                self._linked(actors)
        if time.monotonic() - self._shown_s >= PROGRESS_PERIOD_S:
            self._shown_s = time.monotonic()
            self._line(figures(state))

    def invitation_asked(self) -> None:
        """Somebody who is not here to read waits for the next join line in a file."""
        self._invitation_asked = True

    def end(self, failure: str, state: ConsoleState) -> None:
        self._line((f"ended: {failure}; " if failure else "ended, ") + saved(self._run_dir, state))

    def _invited(self, event: e.Invited) -> None:
        text = f"  join:    {event.join}\n           (token valid 10 min, one use)\n  tunnel:  {event.tunnel}"
        self._write(text)
        if not self._invitation_asked:
            return
        self._invitation_asked = False
        place = self._run_dir / INVITATION_NAME
        aside = place.with_suffix(".tmp")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
        os.replace(aside, place)

    def _linked(self, actors: tuple[e.ActorSeen, ...]) -> None:
        """A line for each actor that came or went."""
        before, now = dict(self._actors), {actor.actor_id: actor.connected for actor in actors}
        for actor in actors:
            if before.get(actor.actor_id, False) != actor.connected:
                word = "is linked" if actor.connected else "is gone"
                self._line(f"actor {actor.actor_id} on {actor.host} {word}, {actor.records} records here")
        self._actors = tuple(now.items())

    def _line(self, text: str) -> None:
        elapsed = int(time.monotonic() - self._started_s)
        self._write(f"{elapsed // 60:02d}:{elapsed % 60:02d}  {printable(text)}")


def saved(run_dir: Path, state: ConsoleState) -> str:
    """What of the learning that was told of is on disk."""
    learned = state.learner.updates
    try:
        step = int((run_dir / "checkpoints" / "LATEST").read_text().split("-")[1])
    except (OSError, ValueError, IndexError):
        return f"no checkpoint was written, {learned} updates are lost" if learned else "nothing to save"
    lost = f", the {learned - step} updates after it are lost" if learned > step else ""
    return f"saved at update {step}{lost}"


def figures(state: ConsoleState) -> str:
    """One line: how learning goes, from whom."""
    learner, actors = state.learner, state.actors
    linked = sum(actor.connected for actor in actors)
    return (
        f"updates {learner.updates}  UTD {learner.utd:.2f}  {learner.updates_per_s:.1f}/s  "
        f"steps {learner.env_steps}  actors {linked} of {len(actors)} linked  "
        f"records {sum(actor.records for actor in actors)}  policy {learner.policy_version}  {learner.status}"
    )
