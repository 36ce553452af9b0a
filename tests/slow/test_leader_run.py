"""A recording in real processes, demonstrated with a leader arm on an emulated bus; the follower is the simulator's."""

import asyncio
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
LIMIT_S = 60.0


def file_of(folder: Path, port: str) -> Path:
    path = recording_file(folder, control_time_s="30.0", scripted="false")
    text = path.read_text().replace(
        "[env.processor]\n", f'[env.teleop]\ntype = "so101_leader"\nport = "{port}"\n\n[env.processor]\n'
    )
    path.write_text(text)
    return path


class Scene:
    """A station that records, a console, and the leader's bus."""

    def __init__(self, run: RecordingRun, console: Console, bus: Any) -> None:
        self.run, self.console, self.bus = run, console, bus

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not condition():
            assert self.run.process.poll() is None, "the station ended"
            assert asyncio.get_running_loop().time() < deadline, (
                f"never: {what}; {self.console.state.control}"
            )
            await self.console.next_batch()

    def leader_deg(self) -> np.ndarray:
        return np.array(self.bus.state()["joints"])

    def limp(self) -> bool:
        return not any(self.bus.state()["torque"])

    def drives(self) -> bool:
        return self.console.state.control.driver is e.Driver.HUMAN


@pytest.mark.slow
async def test_a_demonstration_by_leader_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with emulated_bus(arm="so101", leader=True, pose_deg=(20.0, -60.0, 60.0, 50.0, 0.0, 30.0)) as bus:
        run = RecordingRun(file_of(tmp_path, bus.port))
        try:
            console = await Console.attach(tmp_path / "runs/sim_record", limit_s=LIMIT_S)
            await demonstrate(Scene(run, console, bus))
        finally:
            run.process.terminate()
            run.process.wait(20)
        assert not any(bus.state()["torque"]), "nothing is left under torque"
    sideways = Dataset(tmp_path / "set").frames(0, ["action"])["action"][:, 1]
    assert np.abs(sideways).max() > 0.1 and abs(sideways[0]) < 0.01, "no jump"


async def demonstrate(scene: Scene) -> None:
    bus, console = scene.bus, scene.console
    await scene.until(lambda: "space" in console.state.control.reason, "the recording waits for its person")
    await scene.until(
        lambda: bool((np.abs(scene.leader_deg() - RESET) < 4.0).all()), "the leader comes to the arm"
    )
    assert max(bus.state()["limits"]) <= 200, "with 20 % of its torque"

    await console.send(c.Intervene(on=True))
    await scene.until(scene.drives, "the person drives")
    assert not scene.limp(), "nobody holds the leader yet, and it does not fall"
    y_m = console.state.arm.ee_m[1]
    bus.hand("shoulder_pan", 12.0, 1.0)
    await scene.until(lambda: abs(console.state.arm.ee_m[1] - y_m) > 0.03, "the arm goes along")
    assert scene.limp()
    await console.send(c.Mark(c.Verdict.SUCCESS))
    await scene.until(lambda: len(scene.run.saved()) == 1, "the demonstration is saved")

    await scene.until(lambda: console.state.running.step > 2 and scene.drives(), "the next one has begun")
    bus.unplug()
    await scene.until(lambda: "leader arm gone" in console.state.control.pause_reason, "the run holds")
    bus.replug()
    await scene.until(lambda: not console.state.control.paused, "and goes on when it is back")
    await scene.until(scene.drives, "with the person, who never gave it back")
    await console.send(c.Mark(c.Verdict.FAILURE))
    await console.send(c.Intervene(on=False))
    bus.free("shoulder_pan")
    await scene.until(lambda: "space" in console.state.control.reason, "the person gave it back")
    await scene.until(
        lambda: bool((np.abs(scene.leader_deg() - RESET) < 4.0).all()), "the leader comes to the arm again"
    )
