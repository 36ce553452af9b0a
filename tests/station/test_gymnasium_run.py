"""A whole run of a Gymnasium environment with its real processes: no robot, no cameras, a person at the keys."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.actor.worlds import PREFIX, SEEN
from tests.station.console import Console
from tests.station.test_run import END_WITHIN_S, ROOT, Run, until
from workers.model import commands as c
from workers.model import events as e
from workers.model.places import read_lock
from workers.transport.log import LogReader
from workers.transport.record import Step

LINES = f"""\
schema_version = 2
[run]
name = "sim_pick_lift"  # where `Run` looks for it
directory = "FOLDER"
[env]
type = "gymnasium"
id = "{PREFIX}{SEEN}"
fps = 20
[env.processor.image_preprocessing]
resize_size = [32, 32]
[env.processor.reset]
reset_time_s = 0.0
control_time_s = 1.0
[operator]
demonstrations = 1
lost = "continue"
[policy]
latent_dim = 16
state_encoder_hidden_dim = 16
online_buffer_capacity = 2_000
offline_buffer_capacity = 2_000
online_step_before_learning = 0
[algorithm]
batch_size = 8
bc_pretrain_updates = 3
"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = LINES.replace("FOLDER", str(folder))
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


async def jogged(console: Console, axis: c.Axis, direction: int) -> None:
    await console.send(c.Jog(axis, direction))
    await asyncio.sleep(0.1)


@pytest.mark.timeout(180)
async def test_a_person_teaches_an_environment_and_the_policy_goes_on(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    written(tmp_path)
    run = Run(tmp_path, "--serve")
    try:
        console = await Console.attach(run.run_dir, limit_s=60.0)
        opened = console.state.run
        assert opened is not None
        assert (opened.task, opened.has_arm, opened.cameras) == (PREFIX + SEEN, False, ("front", "wrist"))
        assert set(console.state.workers) == {"actor", "learner"}

        await console.send(c.StartRun())
        await until(console, lambda: console.state.progress.phase is e.Phase.RECORDING)
        await a_person_demonstrates(console)
        await until(console, lambda: console.state.progress.phase is e.Phase.TRAINING)
        await until(console, lambda: console.state.learner.updates > 5)
        await until(console, lambda: console.state.control.driver is e.Driver.POLICY)
        await the_consoles_see_its_pictures(console)
        await no_step_is_taken_while_stopped(console)
    finally:
        took_s = run.end(signal.SIGTERM)
    assert took_s < END_WITHIN_S
    assert run.children() == set()
    assert run.shared or sys.platform != "linux"
    assert not run.left_in_shared_memory()
    assert read_lock(run.run_dir) is None
    what_was_recorded_is_the_persons(run.run_dir)


async def a_person_demonstrates(console: Console) -> None:
    await console.send(c.Intervene(True))
    await until(console, lambda: console.state.control.driver is e.Driver.HUMAN)
    for axis, direction in (
        (c.Axis.X, 1),
        (c.Axis.Y, -1),
        (c.Axis.GRIPPER, -1),
        (c.Axis.Z, 1),
        (c.Axis.Z, 1),
    ):
        await jogged(console, axis, direction)
    await console.send(c.Mark(c.Verdict.SUCCESS))
    await until(console, lambda: len(console.state.episodes) > 0)
    assert console.state.episodes[0].success
    said = [line.text for line in console.state.log if "its keys do nothing" in line.text]
    assert said == ["this environment's action has no z: its keys do nothing"]
    await console.send(c.Intervene(False))


async def the_consoles_see_its_pictures(console: Console) -> None:
    await console.send(c.ShowCameras(16, 16, 5.0))
    await until(console, lambda: set(console.state.frames) == {"front", "wrist"}, 20)
    frame = console.state.frames["front"]
    assert (frame.width, frame.height, frame.rgb[0]) == (16, 16, 10)


async def no_step_is_taken_while_stopped(console: Console) -> None:
    await console.stop()
    await until(console, lambda: console.state.control.driver is e.Driver.NOBODY, 10)
    assert console.state.control.stopped
    await asyncio.sleep(0.5)
    steps = console.state.learner.env_steps
    for _ in range(10):
        await console.next_batch()
    held = console.state.learner.env_steps
    assert held - steps < 40  # what was on its way
    await asyncio.sleep(1.5)
    for _ in range(10):
        await console.next_batch()
    assert console.state.learner.env_steps == held
    assert "stop key" in console.state.control.reason
    await console.send(c.ClearStop())
    await until(console, lambda: console.state.learner.env_steps > held + 10)


def what_was_recorded_is_the_persons(run_dir: Path) -> None:
    records = LogReader(run_dir / "log").read_new()
    assert [record.seq for record in records] == list(range(len(records)))
    steps = [record for record in records if isinstance(record, Step)]
    shown = [step for step in steps if step.is_demonstration]
    assert shown and all(step.episode == shown[0].episode for step in shown)
    moved = sum(step.action[:2] for step in shown)
    assert moved.tolist() == pytest.approx([0.5, -0.5])  # one press of half a step along x and y
    assert [step.action[2] for step in shown].count(0.0) == 1  # and one to close
    assert shown[-1].reward == 1.0 and shown[-1].terminated


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            (SEEN, "worlds/SeenPiont-v0"),
            'small.toml:7: env.id: no environment "worlds/SeenPiont-v0" is registered. Did you mean "worlds/S',
        ),
        (
            ("demonstrations = 1", "scripted = true"),
            "small.toml:15: operator.scripted: ",
        ),
        (
            (f'id = "{PREFIX}{SEEN}"', 'id = "CartPole-v1"'),
            "small.toml:7: env.id: its action space is Discrete(2)",
        ),
    ],
)
def test_a_run_that_cannot_be_is_refused_by_line_before_anything_starts(
    tmp_path: Path, changes: tuple[str, str], said: str
) -> None:
    path = written(tmp_path, changes)
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "station", "--config", str(path)],
        check=False, capture_output=True, text=True, timeout=60, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "sim_pick_lift" / "log").exists()
