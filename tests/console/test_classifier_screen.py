"""The Classifier screen: its data, a training that goes on, the report, and labels that are mended."""

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from hilserl_tui import classifier_job
from hilserl_tui.app import Console
from hilserl_tui.classifier_job import TrainingJob, relabelling
from hilserl_tui.screens import classifier as screen
from tests.console import demo, trained
from tests.console.still import Still, screen_text, settle
from tests.console.test_screens import HUGE, LARGE, SMALL, drawn
from tests.dataset.demonstrated import make
from workers.cli import app as worker
from workers.dataset.reader import Dataset
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.model.wire import Batch, frame

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE, HUGE], ids=["80x24", "120x40", "200x60"])


def state_of(run_dir: Path, *events: e.Event) -> ConsoleState:
    state = reduce(demo.fold(demo.opening()), replace(demo.OPENED, run_dir=str(run_dir)))
    for event in events:
        state = reduce(state, event)
    return state


async def shown(state: ConsoleState, size: tuple[int, int], *keys: str) -> str:
    return "\n".join(await drawn(Still(state), size, "5", *keys))


def tells(*events: e.Event, then: str = "") -> TrainingJob:
    """A training in a process that tells `events`, and does `then`."""
    told = b"".join(frame(Batch([event])) for event in events)  # type: ignore[list-item]
    script = f"import sys, time; sys.stdout.buffer.write({told!r}); sys.stdout.flush(); {then}"
    return TrainingJob([sys.executable, "-c", script])


@SIZES
async def test_before_a_training_its_datasets_and_the_key_are_named(
    size: tuple[int, int], tmp_path: Path
) -> None:
    text = await shown(state_of(tmp_path), size)
    assert "trains a reward classifier" in text and "5 Classifier" in text
    assert "no dataset is named" in text or "counted when training begins" in text
    assert " enter  Train" in text.splitlines()[-1]


@SIZES
async def test_a_training_shows_how_far_it_is_and_its_curves(size: tuple[int, int], tmp_path: Path) -> None:
    state = state_of(tmp_path, trained.STARTED, *map(trained.epoch, range(1, 9)), trained.epoch(9, False))
    text = await shown(state, size)
    for words in ("epoch 9 of at most 40", "12 of 32", "at most 42 s left", "best: 9", "learns", "held out"):
        assert words in text
    assert "15       450       151" in text and "5       149        50" in text
    assert "0.078" in text and "95.6 %" in text and "0.089" in text and "93.6 %" in text
    if size != SMALL:
        assert "loss 0 to 0.80" in text and "accuracy 58 to 100 %" in text
    assert any(0x2800 < ord(letter) <= 0x28FF for letter in text) == (size != SMALL)


@SIZES
async def test_the_report_has_its_figures_and_the_worst_error(size: tuple[int, int], tmp_path: Path) -> None:
    seen = trained.wrong(tmp_path, 11, 17, 0.973, 0)
    state = state_of(tmp_path, trained.STARTED, trained.epoch(1), trained.reported(seen))
    text = await shown(state, size)
    for words in (
        "threshold 0.710",
        "for 1.0% false positives",
        "99.3%",
        "98.7%",
        "ep. 3/4",
        "0.9987",
        "0.021",
    ):
        assert words in text
    assert "5 held-out episodes" in text and "20 epochs, 12 kept" in text
    assert (
        "p(success) 0.973" in text
        and "label no success" in text
        and "episode 11 frame 17" in text
        and "0.973  held out" in text
    )
    assert "1 of 1" in text and "▀" in text and "front" in text
    assert ("success_threshold = 0.71" in text) == (size != SMALL)
    assert ("side" in text) == (size != SMALL), "there is room for one picture, or two"
    if size != SMALL:
        assert "▶    0.710" in text and "it says" in text
    thresholds = await shown(state, size, "m")
    assert "▶    0.710   2.0%  98.7%   100%   100%    +2" in thresholds


async def test_of_a_long_sweep_the_recommended_threshold_is_always_seen(tmp_path: Path) -> None:
    sweep = tuple(trained.row(at) for at in (*(0.05 * step for step in range(1, 20)), 0.961, 0.99))
    report = replace(trained.reported(), sweep=sweep, success_threshold=0.961)
    text = await shown(state_of(tmp_path, report), SMALL, "m")
    assert "▶    0.961" in text and "0.050" in text and "0.950" in text and "0.100" not in text


async def test_errors_are_looked_through_worst_first_and_cameras_turned(tmp_path: Path) -> None:
    first, last = trained.wrong(tmp_path, 3, 5, 0.99, 0), trained.wrong(tmp_path, 4, 9, 0.6, 0)
    middle = trained.wrong(tmp_path, 11, 2, 0.1, 1)
    state = state_of(tmp_path, trained.reported(first, last, negatives=(middle,)))
    app, texts = Console(Still(state), start_run=True), []
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5")
        for keys in ((), ("full_stop",), ("tab",), ("full_stop", "full_stop"), ("comma",) * 4):
            await pilot.press(*keys)
            await settle(pilot)
            texts.append("\n".join(screen_text(app)))
    worst, second, turned, end, back = texts
    assert "0.990  learnt" in worst and "episode 3 frame 5" in worst and "1 of 3" in worst
    assert "episode 11 frame 2" in second and "held out" in second and "label success" in second
    assert "front" in second and "side" in turned and "front" not in turned
    assert "episode 4 frame 9" in end and "3 of 3" in end and "episode 3 frame 5" in back


async def test_a_picture_that_is_gone_is_told_in_its_place(tmp_path: Path) -> None:
    seen = trained.wrong(tmp_path, 11, 17, 0.973, 0)
    Path(seen.pictures["front"]).unlink()
    Path(seen.pictures["side"]).write_bytes(b"\x89PNG\r\n\x1a\nshort")
    text = await shown(state_of(tmp_path, trained.reported(seen)), HUGE)
    assert "the picture is gone" in text and "the picture is damaged" in text


async def test_a_report_on_the_disk_is_shown_after_a_new_start(tmp_path: Path) -> None:
    from msgspec import json

    folder = tmp_path / "reward_classifier"
    folder.mkdir()
    (folder / "report.json").write_bytes(json.encode(trained.reported()))
    text = await shown(state_of(tmp_path), LARGE)
    assert "threshold 0.710" in text and "it sees every frame as labelled" in text
    (folder / "report.json").write_text("{")
    words = re.sub(
        r"[│\s]+", " ", await shown(state_of(tmp_path), HUGE)
    )  # a long path breaks the line anywhere
    assert "cannot be read" in words


async def test_a_failure_is_told_whole(tmp_path: Path) -> None:
    state = state_of(tmp_path, e.ClassifierFailed("one class only\nrecord failures too"))
    text = await shown(state, SMALL)
    assert "no classifier was made" in text and "one class only" in text and "record failures too" in text


async def test_a_frame_is_relabelled_and_the_next_training_forgets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    answers = ["", "another process writes this dataset", ""]

    async def refused(command: Sequence[str]) -> str:
        asked.append(command)
        return answers[len(asked) - 1]

    monkeypatch.setattr(screen, "refused", refused)
    monkeypatch.setattr(TrainingJob, "of", lambda *where: tells(trained.reported()))
    seen = trained.wrong(tmp_path, 11, 17, 0.973, 0)
    app = Console(Still(state_of(tmp_path, trained.reported(seen))), start_run=True)
    texts = []
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("5")
        for key in ("l", "l", "l", "enter"):
            await pilot.press(key)
            await settle(pilot)
            texts.append("\n".join(screen_text(app)))
    once, no, back, again = texts
    assert list(asked[0][-6:]) == [str(tmp_path), "--episodes", "11", "--frames", "17-17", "--success"]
    assert asked[2][-1] == "--failure"
    assert "label success, relabelled" in once and "1 frame relabelled: enter trains again" in once
    assert "another process writes this dataset" in no and "label success, relabelled" in no
    assert "label no success" in back and "relabelled" not in back
    assert "it sees every frame as labelled" in again


async def test_a_training_that_fails_leaves_the_errors_and_labels_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def done(command: Sequence[str]) -> str:
        return ""

    monkeypatch.setattr(screen, "refused", done)
    monkeypatch.setattr(TrainingJob, "of", lambda *where: tells(e.ClassifierFailed("too few successes")))
    seen = trained.wrong(tmp_path, 11, 17, 0.973, 0)
    app = Console(Still(state_of(tmp_path, trained.reported(seen))), start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("5", "l", "enter")
        for _ in range(40):
            await pilot.pause(0.05)
            if "too few successes" in (text := "\n".join(screen_text(app))):
                break
    assert (
        "too few successes" in text and "label success, relabelled" in text and "1 frame relabelled" in text
    )


def test_the_command_that_relabels_changes_that_frame_alone(tmp_path: Path) -> None:
    root = make(tmp_path / "set", (4, 6, 5))
    seen = replace(trained.wrong(tmp_path, 1, 2, 0.97, 0), root=str(root))
    command = relabelling(seen, True)
    before = [Dataset(root).frames(number, ["next.reward"])["next.reward"].tolist() for number in range(3)]
    done = CliRunner().invoke(worker, list(command[command.index("workers.cli") + 1 :]))
    assert done.exit_code == 0, done.output
    after = [Dataset(root).frames(number, ["next.reward"])["next.reward"].tolist() for number in range(3)]
    assert before[1][2] == 0 and after[1] == [*before[1][:2], 1, *before[1][3:]]
    assert (after[0], after[2]) == (before[0], before[2])


async def test_a_training_is_followed_and_ended_with_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is asked for with the signal that the worker takes for it, and the report still comes."""
    report = frame(Batch([trained.reported()]))
    job = tells(trained.STARTED, trained.epoch(3))
    *python, first = job._command
    works = indent(f"{first}\ntime.sleep(60)", "    ")
    ends = f"    sys.stdout.buffer.write({report!r})\n    sys.stdout.flush()"
    # Where tests run in the background of a shell, SIGINT is ignored unless a process asks for it, as the worker does.
    hears = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    job = TrainingJob([*python, f"{hears}\ntry:\n{works}\nexcept KeyboardInterrupt:\n{ends}"])
    monkeypatch.setattr(TrainingJob, "of", lambda *where: job)
    app = Console(Still(state_of(tmp_path)), start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("5", "enter")
        for _ in range(100):
            await pilot.pause(0.05)
            if "epoch 3 of" in (going := "\n".join(screen_text(app))):
                break
        assert "epoch 3 of at most 40" in going and " k  End" in going
        await pilot.press("q")
        await settle(pilot)
        assert app.is_running, "it is said once that a training would be given up"
        await pilot.press("k")
        for _ in range(400):
            await pilot.pause(0.05)
            done = "\n".join(screen_text(app))
            if "threshold 0.710" in done and " k  End" not in done:  # the process ends after its report
                break
        assert "threshold 0.710" in done and " enter  Train" in done


async def told_by(job: TrainingJob) -> list[e.Event]:
    return [event async for event in job.events()]


async def test_a_training_that_dies_leaves_its_last_words() -> None:
    (failed,) = await told_by(tells(then="print('out of memory', file=sys.stderr); sys.exit(9)"))
    assert isinstance(failed, e.ClassifierFailed)
    assert "exit code 9" in failed.reason and "out of memory" in failed.reason


async def test_nonsense_on_the_pipe_and_a_missing_worker_are_told() -> None:
    (failed,) = await told_by(
        tells(then="sys.stdout.buffer.write(b'\\x00\\x00\\x00\\x02hi'); time.sleep(60)")
    )
    assert isinstance(failed, e.ClassifierFailed) and "cannot be read" in failed.reason
    (missing,) = await told_by(TrainingJob(["/no/such/worker"]))
    assert isinstance(missing, e.ClassifierFailed) and "could not be started" in missing.reason


async def test_a_console_that_leaves_takes_its_training_with_it() -> None:
    job = tells(trained.STARTED, then="time.sleep(60)")
    events = job.events()
    assert await anext(events) == trained.STARTED
    await asyncio.wait_for(job.stop(), 5.0)
    assert job._process is not None and job._process.returncode is not None
    await events.aclose()


async def test_a_refused_command_says_why() -> None:
    refused = classifier_job.refused
    assert await refused([sys.executable, "-c", "print('the dataset is locked'); raise SystemExit(2)"]) == (
        "the dataset is locked"
    )
    assert await refused([sys.executable, "-c", "print('done')"]) == ""
    assert "could not be started" in await refused(["/no/such/worker"])
