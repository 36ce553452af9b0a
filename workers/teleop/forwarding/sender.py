"""Sender: on the operator's own computer; reads the gamepad there and says it to the robot PC fifty times a second."""

import asyncio
import contextlib
import getpass
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

import grpc
import numpy as np

from workers.config import TeleopConfig
from workers.model.commands import Verdict
from workers.robot.figures import Floats
from workers.teleop.device import COUNTS
from workers.teleop.gamepad.mapping import MappingError
from workers.teleop.gamepad.pads import Hidapi
from workers.teleop.gamepad.worker import GamepadReader
from workers.transport.channel import NotJoined, dial
from workers.transport.credentials import CredentialError
from workers.transport.enrolment import JoinInvitation, JoinRefused, join
from workers.transport.pb import pad_pb2 as pb
from workers.transport.pb import pad_pb2_grpc
from workers.transport.text import printable

WORD_S = 0.02
AGAIN_S = 1.0
SLOW_MS = 150
Tell = Callable[[str], None]


class ForwardRefused(Exception):
    """The pad cannot be forwarded; the text says why and what to do."""


@dataclass
class Outbox:
    """What the reader of the pad says, as the next word; in place of the record in shared memory."""

    word: pb.PadWord = field(default_factory=pb.PadWord)

    def press(self, verdict: Verdict) -> None:
        name = COUNTS[verdict]
        setattr(self.word, name, getattr(self.word, name) + 1)

    def write(
        self,
        intervene: bool,
        motion: Floats,
        gripper: float = 0.0,
        joints_deg: Floats | None = None,
        reason: str = "",
        at_ns: int | None = None,
    ) -> None:
        forward, left, up = motion.tolist()
        self._say(True, intervene, reason, forward, left, up, gripper)

    def gone(self, reason: str) -> None:
        self._say(False, False, reason, 0.0, 0.0, 0.0, 0.0)

    def _say(self, connected: bool, intervene: bool, reason: str, *numbers: float) -> None:
        word = self.word
        word.connected, word.intervene, word.reason = connected, intervene, reason
        word.forward, word.left, word.up, word.gripper = numbers

    def next(self, sequence: int, stamp_ns: int) -> pb.PadWord:
        """A copy of it, as one word of the stream."""
        made = pb.PadWord()
        made.CopyFrom(self.word)
        made.sequence, made.stamp_ns = sequence, stamp_ns
        return made


class Pads(Protocol):
    """What reads a pad once, now."""

    def tick(self) -> None: ...
    def close(self) -> None: ...


class Forwarder:
    """Keeps the pad and the link up until cancelled.

    Args:
        tell: shows the person one line of how it goes.
    """

    def __init__(self, address: str, pad: Pads, outbox: Outbox, tell: Tell) -> None:
        self._address, self._pad, self._outbox, self._tell = address, pad, outbox, tell
        self._sequence = 0
        self._stamp_ns = 0

    async def run(self) -> None:
        """Raises ForwardRefused when this computer has not joined, or its access was taken away."""
        while True:
            try:
                await self._link()
            except grpc.RpcError as error:
                self._explain(error)
            await asyncio.sleep(AGAIN_S)

    async def _link(self) -> None:
        try:
            channel = dial(self._address)
        except (NotJoined, CredentialError) as error:
            raise ForwardRefused(in_words_of_pads(str(error))) from error
        self._stamp_ns = 0
        async with channel:
            async for stamp in pad_pb2_grpc.PadsStub(channel).Forward(self._words()):
                self._stamp_ns = stamp.stamp_ns
                self._tell(self._line(stamp))

    async def _words(self) -> AsyncIterator[pb.PadWord]:
        """The stamp is taken before the pad is read: the word is never older than that."""
        while True:
            stamp_ns = self._stamp_ns
            self._pad.tick()
            self._sequence += 1
            yield self._outbox.next(self._sequence, stamp_ns)
            await asyncio.sleep(WORD_S)

    def _line(self, stamp: pb.PadStamp) -> str:
        word = self._outbox.word
        who = "^ YOU DRIVE" if stamp.human and word.intervene else "^ HUMAN" if stamp.human else "> POLICY"
        late = f"  TOO SLOW: {stamp.age_ms} ms, nothing moves" if stamp.age_ms > SLOW_MS else ""
        pad = word.reason or ("pad ready" if word.connected else "no pad")
        return f"{self._address}  {who}  {pad}  {stamp.age_ms} ms{late}"

    def _explain(self, error: grpc.RpcError) -> None:
        match error.code():
            case grpc.StatusCode.UNAUTHENTICATED:
                raise ForwardRefused(
                    f"{self._address} does not know this computer any more. On the robot PC, `hilserl-worker"
                    " invite-gamepad` prints a line; run that here"
                ) from error
            case grpc.StatusCode.ALREADY_EXISTS:
                self._tell(f"{self._address}: {printable(error.details() or '')}")
            case code:
                self._tell(f"{self._address}: not reached ({code.name.lower()}); nothing moves, trying again")


async def forward(
    address: str,
    teleop: TeleopConfig,
    tell: Tell,
    modules: tuple[Hidapi, Hidapi | None] | None = None,
    until: asyncio.Event | None = None,
) -> None:
    """Forward the pad to the robot PC at `address`, "host:port", until `until` or for ever. Raises ForwardRefused."""
    outbox = Outbox()
    try:
        pad = GamepadReader(teleop, outbox, None, modules, time.monotonic_ns)
    except (MappingError, ImportError) as error:
        raise ForwardRefused(str(error)) from error
    outbox.write(False, np.zeros(3))
    running = asyncio.ensure_future(Forwarder(address, pad, outbox, tell).run())
    ended = asyncio.ensure_future((until or asyncio.Event()).wait())
    try:
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for task in (running, ended):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ForwardRefused):
            await running
        pad.close()


def joined(address: str, pin: str, token: str) -> str:
    """Join the robot PC, and say so; blocks for seconds. Raises ForwardRefused."""
    try:
        invitation = JoinInvitation.of(address, pin, token)
        run = join(invitation, f"{getpass.getuser()}@{socket.gethostname()}")
    except (JoinRefused, CredentialError) as refused:
        raise ForwardRefused(in_words_of_pads(str(refused))) from refused
    return f"joined the robot PC at {invitation.address}, which does the run {run}"


def in_words_of_pads(text: str) -> str:
    """What the link says of learners and robots, for a pad: there the robot PC serves, and a computer joins."""
    if "has not joined" in text:
        return (
            "This computer has not joined that robot PC. There, `hilserl-worker invite-gamepad --config CONFIG`"
            " prints a line that begins with `hilserl-tui forward-gamepad`; run that line here."
        )
    return text.replace("learner's screen", "robot PC").replace("the learner", "the robot PC").replace(
        "The learner", "The robot PC"
    ).replace("learner", "receiver")  # fmt: skip
