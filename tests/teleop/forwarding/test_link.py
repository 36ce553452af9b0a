"""A forwarded gamepad over the real thing: TLS, tokens and the door, on loopback, to the record the actor reads."""

import asyncio
import contextlib
import multiprocessing
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.emulators.pads import FakeHid, FakePad
from tests.teleop.gamepad.test_mappings import dualsense_cable, logitech
from workers.config import TeleopConfig
from workers.robot.board import TELEOP_STATE
from workers.runtime.shared import SharedNewest
from workers.teleop.device import DeviceReader, DeviceWord, DeviceWriter
from workers.teleop.forwarding import receiver, sender
from workers.transport import door, door_rates, enrolment_service
from workers.transport.certificate import NAME
from workers.transport.channel import dial
from workers.transport.guard import SecureServer, secure_server
from workers.transport.limits import channel_options
from workers.transport.pb import pad_pb2 as pb
from workers.transport.pb import pad_pb2_grpc

CONTEXT = multiprocessing.get_context("spawn")
HELD = logitech(b"", b"\x08\x02")
WITHIN_S = 20.0


class RobotPC:
    """The receiver's server and service in this process, with the record behind it."""

    def __init__(self) -> None:
        self.block = SharedNewest(CONTEXT, TELEOP_STATE)
        self.human = False
        self.server: SecureServer = secure_server("127.0.0.1:0", run="pick", purpose=receiver.PURPOSE)
        self.service = receiver.PadService(
            DeviceWriter(self.block, "forwarded pad"), self.server.admits, lambda: self.human
        )
        pad_pb2_grpc.add_PadsServicer_to_server(self.service, self.server.grpc)
        self.reader = DeviceReader(self.block)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def word(self) -> DeviceWord:
        self.service.tick()
        return self.reader.read()

    async def until(self, true_of: Callable[[DeviceWord], bool]) -> DeviceWord:
        until_s = time.monotonic() + WITHIN_S
        while not true_of(word := self.word()):
            assert time.monotonic() < until_s, word
            await asyncio.sleep(0.005)
        return word


@pytest.fixture
async def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RobotPC]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "robot"))
    monkeypatch.setattr(door_rates, "BURST", 1e9)
    monkeypatch.setattr(door, "REFUSALS", 10**9)
    monkeypatch.setattr(enrolment_service, "TARPIT_S", 0.05)
    made = RobotPC()
    await made.server.start()
    yield made
    await made.server.stop(0.1)


@contextlib.asynccontextmanager
async def forwarding(robot: RobotPC, *pads: FakePad, told: list[str] | None = None) -> AsyncIterator[FakeHid]:
    module, until = FakeHid(*pads), asyncio.Event()
    lines = [] if told is None else told
    task = asyncio.create_task(
        sender.forward(robot.address, TeleopConfig(type="gamepad"), lines.append, (module, None), until)
    )
    try:
        yield module
    finally:
        until.set()
        await task


async def test_a_pad_elsewhere_drives_here_and_lets_go_when_it_leaves(robot: RobotPC) -> None:
    pad = FakePad(0x046D, 0xC216)
    told: list[str] = []
    assert robot.word().reason == receiver.NOBODY
    async with forwarding(robot, pad, told=told):
        await robot.until(lambda word: word.live)
        pad.send(HELD)
        word = await robot.until(lambda word: word.intervene)
        assert word.source == "forwarded pad" and word.motion == pytest.approx([0.0, -1.0, 1.0])
        robot.human = True
        pad.send(logitech(b"", b"\x88\x02"), HELD)
        assert (await robot.until(lambda word: word.presses[0] > 0)).presses == (1, 0, 0)
        await robot.until(lambda _: any("YOU DRIVE" in line for line in told))
    word = await robot.until(lambda word: word.lost)
    assert not word.moves and not word.intervene


async def test_a_pad_that_is_pulled_out_there_stops_the_arm_here(robot: RobotPC) -> None:
    pad = FakePad(0x054C, 0x0CE6)
    async with forwarding(robot, pad) as module:
        until_s = time.monotonic() + WITHIN_S
        while not robot.word().moves:
            assert time.monotonic() < until_s
            pad.send(dualsense_cable(b"\x08\x02"))
            await asyncio.sleep(0.02)
        module.plugged.clear()
        word = await robot.until(lambda word: word.lost)
        assert "unplugged" in word.reason and not word.moves


async def test_nobody_forwards_without_having_joined(robot: RobotPC, tmp_path: Path, monkeypatch) -> None:
    words = pb.PadWord(sequence=1, connected=True, intervene=True, forward=1.0)
    tls = grpc.ssl_channel_credentials(robot.server.certificate)
    async with grpc.aio.secure_channel(robot.address, tls, options=channel_options(NAME)) as stranger:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async for _ in pad_pb2_grpc.PadsStub(stranger).Forward(iter([words])):
                pass
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert robot.word().reason == receiver.NOBODY
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(sender.ForwardRefused, match="has not joined that robot PC"):
        await sender.forward(robot.address, TeleopConfig(type="gamepad"), print, (FakeHid(), None))


async def test_a_computer_that_joins_with_the_line_may_forward_and_is_no_learners_robot(
    robot: RobotPC, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "line.txt"
    receiver.write_invitation(robot.server, place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    *_, command, address, _, pin, _, token = place.read_text().split()
    assert command == "forward-gamepad"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    said = await asyncio.to_thread(sender.joined, address, pin, token)
    assert said == f"joined the robot PC at {address}, which does the run pick"
    with pytest.raises(sender.ForwardRefused, match="was used before") as refused:
        await asyncio.to_thread(sender.joined, address, pin, token)
    assert "learner" not in str(refused.value)
    pad = FakePad(0x046D, 0xC216)
    async with forwarding(robot, pad):
        await robot.until(lambda word: word.live)
    assert not (tmp_path / "robot" / "hilserl" / "learner").exists()


async def test_a_second_pad_waits_until_the_first_is_silent(robot: RobotPC) -> None:
    told: list[str] = []
    async with forwarding(robot, FakePad(0x046D, 0xC216)):
        await robot.until(lambda word: word.live)
        async with forwarding(robot, FakePad(0x046D, 0xC216), told=told):
            await robot.until(lambda _: any("another pad is forwarded" in line for line in told))
            assert robot.word().live


async def test_words_that_name_no_stamp_move_nothing(robot: RobotPC) -> None:
    """A sender that lies about the age, or a burst of an old recording."""

    async def words() -> AsyncIterator[pb.PadWord]:
        for sequence in range(1, 30):
            yield pb.PadWord(sequence=sequence, stamp_ns=time.monotonic_ns(), connected=True, intervene=True)
            await asyncio.sleep(0.01)

    async with dial(robot.address) as channel:
        async for _ in pad_pb2_grpc.PadsStub(channel).Forward(words()):
            assert not robot.reader.read().intervene
    assert not robot.reader.read().live


def test_numbers_that_are_none_are_no_motion() -> None:
    block = SharedNewest(CONTEXT, TELEOP_STATE)
    DeviceWriter(block, "forwarded pad").write(True, np.array([np.nan, np.inf, 7.0]), float("nan"))
    word = DeviceReader(block).read()
    assert word.motion.tolist() == [0.0, 0.0, 1.0] and word.gripper == 0.0
