"""A real run with network cameras: it learns from them, holds the arm when one is lost, and goes on when it is back."""

import itertools
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.mjpeg_camera import mjpeg_camera
from tests.station.camera_run import camera_run
from tests.station.console import Console
from tests.station.test_run import until
from workers.model import commands as c
from workers.model.events import Driver, EndedBy, GateMode
from workers.transport.log import LogReader
from workers.transport.record import Step

OPTIONS = ("--width", "480", "--height", "240")


def driven(console: Console) -> bool:
    return console.state.control.driver is not Driver.NOBODY and console.state.arm.mode is GateMode.ENGAGED


@pytest.mark.timeout(300)
async def test_a_lost_or_frozen_camera_holds_the_arm_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with mjpeg_camera(*OPTIONS) as front, mjpeg_camera(*OPTIONS, "--view", "wrist") as side:
        run = camera_run(tmp_path, (front.url, side.url), 480, 240)
        try:
            console = await Console.attach(run.run_dir)
            await console.send(c.StartRun())
            await until(console, lambda: len(console.state.episodes) >= 1)
            for camera, name, fault, words in (
                (side, "side", "stall", "no frame for more than 0.3 s"),
                (front, "front", "freeze", "frozen"),
                (front, "front", "black", "black"),
            ):
                await until(console, lambda: driven(console))
                camera.script(fault=fault)
                await until(
                    console,
                    lambda name=name, words=words: console.state.control.reason.startswith(
                        f"camera {name}: {words}"
                    ),
                )
                await until(console, lambda: console.state.arm.mode is GateMode.HOLD)
                camera.script(fault="")
            await until(console, lambda: driven(console))
            ended = {episode.ended_by for episode in console.state.episodes}
            said = [line.text for line in console.state.log]
        finally:
            run.end(signal.SIGTERM)
    assert EndedBy.STOP in ended and EndedBy.SUCCESS in ended
    assert any(text.startswith("camera side: lost") for text in said)
    assert any(text.startswith("camera side: back: it gives 480x240") for text in said)
    no_picture_is_stored_twice(run.run_dir)


def no_picture_is_stored_twice(run_dir: Path) -> None:
    """Neither while a camera was lost nor while it was frozen; black pictures are alike, and may be stored."""
    records = [record for record in LogReader(run_dir / "log").read_new() if isinstance(record, Step)]
    assert len(records) > 10
    for before, now in itertools.pairwise(records):
        if before.episode == now.episode:
            pairs = zip(before.images, now.images, strict=True)
            assert not any(one.std() > 2.0 and np.array_equal(one, other) for one, other in pairs)
