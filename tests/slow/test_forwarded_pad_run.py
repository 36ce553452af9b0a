"""A demonstration by a gamepad on another computer, in real processes: TLS, the receiver, the actor, the dataset."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.pads import FakeHid, FakePad
from tests.station.console import Console
from tests.station.recording_run import RecordingRun, recording_file
from workers.config import TeleopConfig
from workers.dataset.reader import Dataset
from workers.model import events as e
from workers.teleop.forwarding import sender

LIMIT_S = 60.0
UP_MASK, HOLD = 0x80, 0x02  # Y: success; the upper right trigger


class Hands:
    """A person at a Logitech F310, who pushes the left stick forward a little when `pushes`."""

    def __init__(self) -> None:
        self.pad = FakePad(0x046D, 0xC216)
        self.holds = self.pushes = self.success = False

    def report(self, trembling: int) -> bytes:
        forward = 90 + trembling % 2 if self.pushes else 128
        return bytes([128, forward, 128, 128, 8 | UP_MASK * self.success, HOLD * self.holds, 0, 255])

    async def play(self) -> None:
        count = 0
        while True:
            count += 1
            self.pad.send(self.report(count))
            await asyncio.sleep(0.02)


class Scene:
    """A station that records, a console, and the person elsewhere."""

    def __init__(self, run: RecordingRun, console: Console, hands: Hands, hid: FakeHid) -> None:
        self.run, self.console, self.hands, self.hid = run, console, hands, hid

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not condition():
            assert self.run.process.poll() is None, "the station ended"
            control = self.console.state.control
            assert asyncio.get_running_loop().time() < deadline, f"never: {what}; {control}"
            await self.console.next_batch()

    def drives(self) -> bool:
        return self.console.state.control.driver is e.Driver.HUMAN


@pytest.mark.slow
async def test_a_demonstration_by_a_forwarded_gamepad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    path = recording_file(tmp_path, control_time_s="30.0", scripted="false")
    device = f'[env.teleop]\ntype = "gamepad"\nlisten = "{address}"\n\n[env.processor]\n'
    path.write_text(path.read_text().replace("[env.processor]\n", device))
    run, hands = RecordingRun(path), Hands()
    hid, until = FakeHid(hands.pad), asyncio.Event()
    playing = asyncio.create_task(hands.play())
    try:
        console = await Console.attach(tmp_path / "runs/sim_record", limit_s=LIMIT_S)
        scene = Scene(run, console, hands, hid)
        await scene.until(
            lambda: "none forwarded" in console.state.control.pause_reason, "it waits for the pad"
        )
        teleop = TeleopConfig(type="gamepad")
        forwarding = asyncio.create_task(sender.forward(address, teleop, lambda _: None, (hid, None), until))
        await demonstrate(scene)
        until.set()
        await forwarding
        await scene.until(lambda: "gamepad gone" in console.state.control.pause_reason, "the pad has left")
    finally:
        playing.cancel()
        run.process.terminate()
        run.process.wait(20)
    forward = Dataset(tmp_path / "set").frames(0, ["action"])["action"][:, 0]
    assert np.abs(forward).max() > 0.1


async def demonstrate(scene: Scene) -> None:
    hands, console = scene.hands, scene.console
    await scene.until(lambda: "trigger" in console.state.control.reason, "it waits for the trigger")
    hands.holds = True
    await scene.until(lambda: scene.drives() and console.state.running.step > 2, "the person drives")
    x_m = console.state.arm.ee_m[0]
    hands.pushes = True
    await scene.until(lambda: console.state.arm.ee_m[0] - x_m > 0.02, "the arm goes along")
    hands.pushes = False
    hands.success = True
    await scene.until(lambda: len(scene.run.saved()) == 1, "the demonstration is saved")
    hands.success = False

    await scene.until(lambda: console.state.running.step > 2 and scene.drives(), "the next one has begun")
    scene.hid.plugged.clear()
    await scene.until(lambda: "gamepad gone" in console.state.control.pause_reason, "the run holds")
    scene.hid.plugged.append(hands.pad)
    await scene.until(lambda: not console.state.control.paused, "and goes on when it is back")
