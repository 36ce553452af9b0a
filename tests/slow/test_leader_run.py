"""Demonstrations by leader arm in real processes, with one emulated bus or two."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.emulators.bus import emulated_bus
from tests.station.console import Console
from tests.station.recording_run import RecordingRun, recording_file
from workers.dataset.reader import Dataset
from workers.model import commands as c
from workers.model import events as e

RESET = np.array([0.0, -2.0, 0.4, 91.7, 2.8, 40.0])
ELSEWHERE = (20.0, -60.0, 60.0, 50.0, 0.0, 30.0)
LIMIT_S = 40.0
pytestmark = pytest.mark.slow


def file_of(folder: Path, leader: Any, follower: Any) -> Path:
    """A recording by leader arm, with nobody else about; without a follower's bus the arm is simulated."""
    path = recording_file(folder, control_time_s="30.0", scripted="false")
    device = f'[env.teleop]\ntype = "so101_leader"\n{_arm(leader, folder, "leader")}\n[env.processor]\n'
    text = path.read_text().replace("[env.processor]\n", device)
    if follower is not None:
        real = f'type = "so101_follower"\n{_arm(follower, folder, "follower")}'
        text = text.replace('type = "so101_sim"\n', real)
    path.write_text(text)
    return path


def _arm(bus: Any, folder: Path, name: str) -> str:
    """The keys of an arm on `bus`, with its calibration in a file."""
    bus.write_calibration(folder / "calibration" / f"{name}.json")
    return f'port = "{bus.port}"\nid = "{name}"\ncalibration_dir = "{folder / "calibration"}"\n'


class Scene:
    """A station that records, a console, the leader's bus, and the follower's if it has one."""

    def __init__(self, run: RecordingRun, console: Console, bus: Any, follower: Any) -> None:
        self.run, self.console, self.bus, self.follower = run, console, bus, follower

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not condition():
            log = [line.text for line in self.console.state.log[-3:]]
            assert self.run.process.poll() is None, f"the station ended: {log}"
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"never: {what}; {self.console.state.control}; {log}"
            await self.console.next_batch()

    async def until_leader_is_at_the_arm(self) -> None:
        await self.until(lambda: self.apart_deg() < 4.0, "the leader comes to the arm")

    def apart_deg(self) -> float:
        arm_deg = RESET if self.follower is None else np.array(self.follower.state()["deg"])
        return float(np.abs(np.array(self.bus.state()["deg"]) - arm_deg).max())

    def limp(self) -> bool:
        return not any(self.bus.state()["torque"])

    def drives(self) -> bool:
        return self.console.state.control.driver is e.Driver.HUMAN


@contextlib.asynccontextmanager
async def recording(folder: Path, bus: Any, follower: Any = None) -> Any:
    run = RecordingRun(file_of(folder, bus, follower))
    try:
        console = await Console.attach(folder / "runs/sim_record")
        yield Scene(run, console, bus, follower)
    finally:
        run.process.terminate()
        run.process.wait(30)


async def test_a_demonstration_by_leader_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with emulated_bus(arm="so101", leader=True, pose_deg=ELSEWHERE) as bus:
        async with recording(tmp_path, bus) as scene:
            await waits_for_its_person(scene)
            await demonstrate(scene)
            await lose_and_find_the_leader(scene)
            await give_back(scene)
        assert not any(bus.state()["torque"]), "nothing is left under torque"
    sideways = Dataset(tmp_path / "set").frames(0, ["action"])["action"][:, 1]
    assert np.abs(sideways).max() > 0.1 and abs(sideways[0]) < 0.01, "no jump"


async def test_leader_and_follower_on_two_buses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with (
        emulated_bus(arm="so101", leader=True, pose_deg=ELSEWHERE) as bus,
        emulated_bus(arm="so101", volts=12.0, pose_deg=tuple(RESET)) as follower,
    ):
        async with recording(tmp_path, bus, follower) as scene:
            await scene.console.send(c.ConfirmMotion())
            await waits_for_its_person(scene)
            pan_deg = follower.state()["deg"][0]
            await demonstrate(scene)
            assert follower.state()["deg"][0] - pan_deg > 5.0
            await lose_and_find_the_leader(scene)
            await give_back(scene)
        assert not any(bus.state()["torque"]), "nothing is left under torque"


async def waits_for_its_person(scene: Scene) -> None:
    await scene.until(
        lambda: "space" in scene.console.state.control.reason, "the recording waits for its person"
    )
    await scene.until_leader_is_at_the_arm()
    assert max(scene.bus.state()["torque_limit"]) <= 200, "with 20 % of its torque"


async def demonstrate(scene: Scene) -> None:
    bus, console = scene.bus, scene.console
    await console.send(c.Intervene(on=True))
    await scene.until(scene.drives, "the person drives")
    assert not scene.limp(), "nobody holds the leader yet, and it does not fall"
    assert scene.apart_deg() < 10.0, "it went along to the start"
    y_m = console.state.arm.ee_m[1]
    bus.ask("hand", joint="shoulder_pan", value=12.0, over_s=1.0)
    await scene.until(lambda: abs(console.state.arm.ee_m[1] - y_m) > 0.03, "the arm goes along")
    assert scene.limp()
    await console.send(c.Mark(c.Verdict.SUCCESS))
    await scene.until(lambda: len(scene.run.saved()) == 1, "the demonstration is saved")


async def lose_and_find_the_leader(scene: Scene) -> None:
    bus, console = scene.bus, scene.console
    await scene.until(lambda: console.state.running.step > 2 and scene.drives(), "the next one has begun")
    bus.unplug()
    await scene.until(lambda: "leader arm gone" in console.state.control.pause_reason, "the run holds")
    bus.replug()
    await scene.until(lambda: not console.state.control.paused, "and goes on when it is back")
    await scene.until(scene.drives, "with the person, who never gave it back")
    await console.send(c.Mark(c.Verdict.FAILURE))


async def give_back(scene: Scene) -> None:
    await scene.console.send(c.Intervene(on=False))
    scene.bus.ask("let_go", joint="shoulder_pan")
    await scene.until(lambda: "space" in scene.console.state.control.reason, "the person gave it back")
    await scene.until_leader_is_at_the_arm()
