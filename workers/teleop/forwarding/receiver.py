"""Receiver: on the robot PC, in place of a gamepad that is plugged in there. TLS always, one pad at a time.

Who may forward is kept apart from who may join a learner. What comes in late is passed over (`arrivals`), and what is
written for the actor has the age that the word has at most: the actor's own 150 ms then hold for all of the way.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from workers.config import Config
from workers.robot.board import Board
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.shared import SharedNewest
from workers.teleop.device import LOST_NS, DeviceWriter
from workers.teleop.forwarding.arrivals import Arrivals
from workers.teleop.forwarding.places import INVITATION
from workers.transport.credentials import CredentialError
from workers.transport.guard import ListenRefused, SecureServer, secure_server
from workers.transport.pb import pad_pb2 as pb
from workers.transport.pb import pad_pb2_grpc
from workers.transport.text import printable

PURPOSE = "pads"
STAMP_S = 0.02
TICK_S = 0.05
NOBODY = "none forwarded: hilserl-tui forward-gamepad"
log = logging.getLogger(__name__)


def main(desk: Desk, config: Config, board: Board) -> None:
    """Receive at `env.teleop.listen` until told to quit. Raises WorkerFailure when it cannot listen there."""
    os.umask(0o077)
    assert config.env.teleop.listen is not None, "the station starts this worker only where it is given"
    writer = DeviceWriter(board.teleop, "forwarded pad")
    try:
        asyncio.run(Receiver(desk, writer, board.target, config.run.name).serve(config.env.teleop.listen))
    except (ListenRefused, CredentialError, ValueError) as error:
        raise WorkerFailure(f"env.teleop.listen: {error}") from error


class PadService(pad_pb2_grpc.PadsServicer):
    """Takes the words of one pad.

    Args:
        admits: label of the computer that made a call, None once its access was taken away.
        human: whether a person drives now.
    """

    def __init__(
        self,
        writer: DeviceWriter,
        admits: Callable[[Any], str | None],
        human: Callable[[], bool],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._writer, self._admits, self._human, self._clock_ns = writer, admits, human, clock_ns
        self._arrivals: Arrivals | None = None
        self._heard_ns = 0

    async def Forward(self, words: Any, context: Any) -> AsyncIterator[pb.PadStamp]:
        """The stream of one pad; ends with it."""
        label = self._admits(context)
        if self._arrivals is not None:
            await context.abort(
                grpc.StatusCode.ALREADY_EXISTS, "another pad is forwarded; it must leave first"
            )
        arrivals = self._arrivals = Arrivals()
        log.info("a gamepad is forwarded by %s", printable(label or "?"))
        listening = asyncio.ensure_future(self._listen(words, arrivals))
        try:
            while self._arrivals is arrivals and not listening.done() and self._admits(context) is not None:
                stamp = arrivals.stamp(self._clock_ns())
                yield pb.PadStamp(
                    stamp_ns=stamp, human=self._human(), age_ms=min(arrivals.age_ns // 10**6, 99_999)
                )
                await asyncio.sleep(STAMP_S)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, DecodeError):
                await listening
            if self._arrivals is arrivals:
                self._arrivals = None
                self._writer.gone("the forwarded pad is gone")
            log.warning("the gamepad forwarded by %s is gone", printable(label or "?"))

    async def _listen(self, words: Any, arrivals: Arrivals) -> None:
        async for word in words:
            if self._arrivals is arrivals:
                self.take(word, arrivals)

    def take(self, word: pb.PadWord, arrivals: Arrivals) -> None:
        """Write what a word says, if it may still be executed."""
        now_ns = self._clock_ns()
        verdicts = arrivals.take(word, now_ns)
        if verdicts is None:
            return
        self._heard_ns = now_ns
        for verdict in verdicts:
            self._writer.press(verdict)
        if not word.connected:
            self._writer.gone(word.reason)
            return
        motion = np.array([word.forward, word.left, word.up], np.float64)
        self._writer.write(word.intervene, motion, word.gripper, reason=word.reason, at_ns=word.stamp_ns)

    def tick(self) -> None:
        """Say what is wrong while nothing that can be executed comes."""
        if self._arrivals is None:
            self._writer.gone(NOBODY)
        elif self._silent:
            late = self._arrivals.age_ns / 1e9
            self._writer.gone(f"the link is too slow: {late:.1f} s" if late > 0.15 else "the link is silent")

    @property
    def _silent(self) -> bool:
        """Whether nothing that can be executed came for so long that the pad counts as gone."""
        return self._clock_ns() - self._heard_ns > LOST_NS


class Receiver:
    """The server, its invitations, and the record that the actor reads."""

    def __init__(self, desk: Desk, writer: DeviceWriter, target: SharedNewest, run: str) -> None:
        self._desk, self._writer, self._target, self._run = desk, writer, target, run

    async def serve(self, listen: str) -> None:
        """Until told to quit. Raises ListenRefused, CredentialError, ValueError."""
        server = secure_server(listen, run=self._run, purpose=PURPOSE)
        service = PadService(self._writer, server.admits, self._person_drives)
        pad_pb2_grpc.add_PadsServicer_to_server(service, server.grpc)
        await server.start()
        log.info(
            "a gamepad on another computer is received at %s; `hilserl-worker invite-gamepad` prints how",
            ", ".join(server.addresses()),
        )
        place = self._desk.run_dir / INVITATION
        place.unlink(missing_ok=True)
        try:
            while self._desk.alive():
                self._desk.next_order()  # Quit is the only order; `alive` then says no
                service.tick()
                if not place.exists():
                    write_invitation(server, place)
                await asyncio.sleep(TICK_S)
        finally:
            place.unlink(missing_ok=True)
            self._writer.gone("its worker has ended")
            await server.stop()

    def _person_drives(self) -> bool:
        read = self._target.read()
        return read is not None and bool(read[1]["human"])


def write_invitation(server: SecureServer, place: Path) -> None:
    """Lay down a line with which one more computer joins, for this user only: whoever takes it away gets a new one."""
    one = server.invite()
    line = f"hilserl-tui forward-gamepad {one.address} --pin {one.pin} --token {one.token}\n"
    aside = place.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line)
    os.replace(aside, place)
