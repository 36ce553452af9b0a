"""find-limits: the recipe between the person and the file, and whole runs of it with their real processes."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.station.console import Console
from tests.station.recipe_station import WORKERS, FakeStation
from tests.station.test_run import until
from workers.config import ConfigError, load, load_document
from workers.config.ready import ready_config
from workers.config.survey import load_for_survey, surveying
from workers.model import commands as c
from workers.model import events as e
from workers.model.orders import Collect
from workers.model.survey import Stage, Survey
from workers.station.main import StationRefused, run_station
from workers.station.opening import RunLock
from workers.station.survey import Ending, Place, SurveyJob, Wanted
from workers.station.survey_opening import for_survey

ROOT = Path(__file__).parents[2]
RESET = load(ready_config()).env.reset_pose
CORNERS = ((0.2, -0.05, 0.03), (0.3, 0.05, 0.12))


def task_file(folder: Path, *changes: tuple[str, str]) -> Path:
    text = ready_config().read_text()
    for old, new in (('directory = "runs"', f'directory = "{folder}"'), *changes):
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "task.toml"
    path.write_text(text)
    return path


class Person:
    """Somebody before a station that has no workers, whose arm is where they say."""

    def __init__(self, path: Path, **wanted: float | Ending) -> None:
        self.path = path
        document = load_for_survey(path)
        job = SurveyJob(Wanted(warm_up_s=0.0, **wanted), document)  # type: ignore[arg-type]
        self.station = FakeStation(surveying(document.config), None, job)

    async def drive(self, *corners: tuple[float, float, float]) -> None:
        await self.station.start(WORKERS[:-1])
        self.station.emit(e.DriverChanged(e.Driver.HUMAN))
        for corner in corners:
            await self.move(corner)

    async def move(self, corner: tuple[float, float, float]) -> None:
        """Stay there until the recipe has looked twice, however busy the machine is."""
        self.station.at = Place(corner, RESET)
        looks = self.station.looks
        while self.station.looks < looks + 2 and not self.station.task.done():
            await asyncio.sleep(0.01)

    async def wish(self, *wishes: c.Command) -> Survey:
        for wish in wishes:
            self.station.recipe.take(wish)
        await asyncio.sleep(0.25)  # it is told five times a second
        survey = self.station.state.survey
        assert survey is not None
        return survey

    async def end(self) -> e.RunEnded:
        return await asyncio.wait_for(self.station.task, 10)


DONE, GO_ON, OVER, WRITE = (c.Survey(step) for step in c.SurveyStep)


async def test_a_person_drives_looks_at_the_difference_and_writes_it(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path))
    before = person.path.read_text()
    await person.drive(*CORNERS)
    assert ("actor", Collect(e.EpisodeKind.SURVEY)) in person.station.orders
    assert person.station.state.progress.phase is e.Phase.SURVEYING
    survey = await person.wish(DONE, c.SetMargin(0.01))
    assert survey.stage is Stage.DONE and survey.problems == () and len(survey.lines) == 6
    assert any(line.startswith("-end_effector_bounds") for line in survey.difference)
    assert person.path.read_text() == before, "nothing is written before the person says so"
    survey = await person.wish(WRITE)
    ended = await person.end()
    assert ended.succeeded and "has the new bounds" in ended.reason
    assert survey.stage is Stage.WRITTEN and Path(survey.written).read_text() == before
    bounds = load(person.path).env.workspace.end_effector_bounds
    assert bounds.min == pytest.approx((0.19, -0.06, 0.02)) and bounds.max == pytest.approx(
        (0.31, 0.06, 0.13)
    )
    assert set(load(person.path).env.arm.joint_limits_deg) >= {"shoulder_pan", "wrist_roll"}


async def test_pictures_of_the_workspace_are_kept_with_its_bounds(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path))
    red, blue = np.full((4, 6, 3), (200, 0, 0), np.uint8), np.full((4, 6, 3), (0, 0, 200), np.uint8)
    person.station.seen = {"front": red, "side": blue}
    await person.drive(*CORNERS)
    await person.wish(DONE)
    assert not list(tmp_path.glob("*.png"))
    await person.wish(WRITE)
    ended = await person.end()
    stem = person.path.stem
    names = [f"{stem}.bounds-front.png", f"{stem}.bounds-side.png"]
    assert ended.reason.endswith(f"; how the workspace looked is in {', '.join(names)}")
    for name, picture in zip(names, (red, blue), strict=True):
        assert np.array_equal(np.asarray(Image.open(tmp_path / name)), picture)


async def test_a_picture_that_cannot_be_kept_keeps_no_bounds_from_the_file(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path))
    person.station.seen = {"front": np.zeros((4, 6, 3), np.uint8)}
    (tmp_path / f"{person.path.stem}.bounds-front.png.tmp").mkdir()
    await person.drive(*CORNERS)
    await person.wish(DONE, WRITE)
    ended = await person.end()
    assert ended.succeeded and "has the new bounds" in ended.reason and ".png" not in ended.reason


async def test_what_was_seen_can_be_added_to_or_thrown_away(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path))
    await person.drive(*CORNERS)
    await person.wish(DONE, GO_ON)
    await person.drive((0.35, 0.0, 0.1))
    survey = await person.wish()
    assert survey.stage is Stage.COUNTING and survey.box_max_m[0] == 0.35
    survey = await person.wish(OVER)
    assert survey.axes is not None and survey.axes[0].width == 0.0
    person.station.task.cancel()


async def test_an_arm_without_torque_counts_as_driven_by_whoever_pushes_it(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path), duration_s=1.0, ending=Ending.WRITE)
    await person.station.start(WORKERS[:-1])
    person.station.emit(e.ArmMoved(CORNERS[0], 40.0, e.GateMode.LIMP, at_s=1.0))
    for corner in CORNERS:
        await person.move(corner)
    assert (await person.end()).succeeded


async def test_a_stopped_arm_is_not_driven(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path), duration_s=1.0)
    person.station.emit(e.StopLatched("kim"))
    await person.drive(*CORNERS)
    assert (await person.wish()).stage is Stage.WAITING
    person.station.task.cancel()


async def test_a_file_that_has_no_bounds_yet_gets_them(tmp_path: Path) -> None:
    line = next(
        line for line in ready_config().read_text().splitlines() if line.startswith("end_effector_bounds")
    )
    path = task_file(tmp_path, (line + "\n", ""))
    with pytest.raises(ConfigError, match="missing"):
        load(path)
    person = Person(path)
    await person.drive(*CORNERS)
    survey = await person.wish(DONE, WRITE)
    assert survey.present is None and (await person.end()).succeeded
    assert load(path).env.workspace.end_effector_bounds.max == CORNERS[1]


def test_whatever_else_is_wrong_with_a_file_is_told_with_its_own_lines(tmp_path: Path) -> None:
    line = next(
        line for line in ready_config().read_text().splitlines() if line.startswith("end_effector_bounds")
    )
    path = task_file(tmp_path, (line + "\n", ""), ("fps = 10", "fsp = 10"))
    with pytest.raises(ConfigError) as error:
        load_for_survey(path)
    assert "fsp: unknown key" in str(error.value) and "end_effector_bounds: missing" in str(error.value)


async def test_an_arm_nobody_moved_is_never_written(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path))
    before = person.path.read_text()
    await person.drive((0.2199, 0.0, 0.08))
    survey = await person.wish(DONE, WRITE)
    assert [problem[:2] for problem in survey.problems] == ["x:", "y:", "z:"]
    assert survey.stage is Stage.DONE and survey.difference == ()
    assert person.path.read_text() == before and not list(tmp_path.glob("*.before"))
    person.station.task.cancel()


@pytest.mark.parametrize("spoil", ["changed", "read-only", "gone"])
async def test_a_file_that_cannot_be_written_is_told_and_the_survey_stands(
    tmp_path: Path, spoil: str
) -> None:
    person = Person(task_file(tmp_path))
    await person.drive(*CORNERS)
    await person.wish(DONE)
    words = {"changed": "has changed since", "read-only": "is read-only", "gone": "no such file"}[spoil]
    match spoil:
        case "changed":
            person.path.write_text(person.path.read_text() + "\n# mine\n")
        case "read-only":
            person.path.chmod(0o444)
        case "gone":
            person.path.unlink()
    survey = await person.wish(WRITE)
    assert survey.stage is Stage.DONE and words in survey.problems[-1]
    if spoil == "read-only":
        person.path.chmod(0o644)
        await person.wish(WRITE)
        assert (await person.end()).succeeded
    person.station.task.cancel()


@pytest.mark.parametrize(("ending", "written"), [(Ending.PRINT, False), (Ending.WRITE, True)])
async def test_without_a_person_who_asks_it_ends_when_its_time_is_over(
    tmp_path: Path, ending: Ending, written: bool
) -> None:
    person = Person(task_file(tmp_path), duration_s=1.0, ending=ending)
    before = person.path.read_text()
    await person.drive(*CORNERS)
    assert (await person.end()).succeeded
    assert (person.path.read_text() != before) is written
    survey = person.station.state.survey
    assert survey is not None and survey.lines and survey.difference


async def test_without_a_person_a_box_too_small_fails_the_run_and_says_which_axes(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path), duration_s=1.0, ending=Ending.WRITE)
    await person.drive((0.22, 0.0, 0.08), (0.30, 0.0, 0.08))
    ended = await person.end()
    assert ended.failed and "y: the arm moved only 0.0 cm" in ended.reason and "x:" not in ended.reason
    assert not list(tmp_path.glob("*.before"))


async def test_a_run_that_is_cut_short_tells_what_was_seen(tmp_path: Path) -> None:
    person = Person(task_file(tmp_path), duration_s=60.0, ending=Ending.WRITE)
    await person.drive(*CORNERS)
    person.station.task.cancel()
    await asyncio.gather(person.station.task, return_exceptions=True)
    survey = person.station.state.survey
    assert survey is not None and survey.lines and not list(tmp_path.glob("*.before"))


async def test_an_environment_without_an_arm_is_refused_with_its_line() -> None:
    path = ready_config("gym_hil_pick_cube")
    with pytest.raises(StationRefused, match=r"gym_hil_pick_cube\.toml:\d+: env\.type: .*has no arm"):
        await run_station(path, survey=Wanted())


def test_a_run_that_has_the_arm_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = task_file(tmp_path)
    document = load_document(path)
    document.config.run_dir.mkdir()
    with (
        RunLock(document.config, path),
        pytest.raises(StationRefused, match=r"sim_pick_lift is alive .* and has the arm"),
    ):
        for_survey(document, document.config, Wanted(), serve=True)
    assert for_survey(document, document.config, Wanted(), serve=True)[0].run.name == "sim_pick_lift-limits"


def started(path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "workers.cli", "find-limits", "--config", str(path), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(path.parent)}
    environment.pop("DISPLAY", None)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    )


@pytest.mark.timeout(150)
def test_the_scripted_person_finds_the_workspace_headless_and_it_is_written(tmp_path: Path) -> None:
    path = task_file(tmp_path)
    run = started(
        path,
        "--operator=scripted",
        "--warmup-s=2.5",
        "--duration-s=9",
        "--margin-m=0.01",
        "--write",
    )
    printed, _ = run.communicate(timeout=140)
    assert run.returncode == 0, printed
    assert "  warm-up, " in printed and " s left   x +0." in printed
    assert printed.count("# End Effector Bounds (x, y, z), metres:") == 1
    assert "max_ee = [0.3" in printed and "+end_effector_bounds" in printed and "learner" not in printed
    bounds = load(path).env.workspace.end_effector_bounds
    assert bounds.min[2] == 0.01, "never below the floor, whatever the margin"
    assert bounds.max[1] - bounds.min[1] > 0.15
    assert (tmp_path / "task.toml.before").read_text() != path.read_text()
    left = tmp_path / "sim_pick_lift-limits"
    assert left.is_dir() and not (tmp_path / "sim_pick_lift").exists()
    assert not (left / "policy").exists() and not (left / "checkpoints").exists()
    checked = subprocess.run(
        [sys.executable, "-m", "workers.cli", "check", "--config", str(path)],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.timeout(150)
async def test_a_person_at_a_console_drives_beyond_the_file_s_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = task_file(tmp_path, ("max = [0.32, 0.12, 0.16]", "max = [0.32, 0.12, 0.09]"))
    run = started(path, "--operator=person", "--warmup-s=0", "--serve")
    try:
        console = await Console.attach(tmp_path / "sim_pick_lift-limits")
        await console.send(c.StartRun())
        await until(console, lambda: console.state.survey is not None)
        await until(console, lambda: "space takes the arm" in console.state.control.reason)
        assert console.state.run is not None and console.state.run.finds_limits
        await console.send(c.Intervene(True))
        await until(console, lambda: console.state.control.driver is e.Driver.HUMAN, 20)
        for axis, direction, steps in ((c.Axis.Z, 1, 6), (c.Axis.Y, 1, 5), (c.Axis.X, 1, 5)):
            for _ in range(steps):
                await console.send(c.Jog(axis, direction))
                await asyncio.sleep(0.11)
        await until(console, lambda: console.state.arm.ee_m[2] > 0.12, 10)
        await console.send(DONE)
        await until(console, lambda: bool(console.state.survey and console.state.survey.difference), 10)
        await console.send(WRITE)
        await until(console, lambda: bool(console.state.progress.ended), 10)
        assert load(path).env.workspace.end_effector_bounds.max[2] > 0.12
        await console.send(c.ShutDown())
        assert await asyncio.to_thread(run.wait, 20) == 0
    finally:
        run.kill()
    assert (tmp_path / "task.toml.before").exists()
