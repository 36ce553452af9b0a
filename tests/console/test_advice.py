"""Advice on the screen: one line that moves nothing but the log, and everything behind a key."""

import json
from pathlib import Path

import pytest

from hilserl_tui.app import Console
from hilserl_tui.screens.arrange import LINK, arrange, with_advice
from hilserl_tui.similar import OURS, typical
from hilserl_tui.view import View
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState


def sick() -> ConsoleState:
    state = reduce(demo.training(), e.CameraJudged("front", "frozen"))
    return reduce(state, e.LearnerProgress(10, 10, 2.0, 20.0, 38, "training", {"saturated": 0.95}))


def advised(app: Console, state: ConsoleState) -> None:
    for now_s in (0.0, 6.0):
        app.advising.look(state, now_s)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=["80x24", "120x40", "200x60"])
async def test_train_shows_the_most_important_and_the_key_shows_all(size: tuple[int, int]) -> None:
    app = Console(Still(sick()), start_run=True)
    async with app.run_test(size=size) as pilot:
        advised(app, sick())
        await settle(pilot)
        (row,) = [row for row in screen_text(app) if "▲ the picture of camera front is frozen" in row]
        assert "+1" in row
        await pilot.press("w")
        await settle(pilot)
        text = " ".join("\n".join(screen_text(app)).split())
        assert "unplug it and plug it in" in text
        assert "actions are saturated: 95%" in text
        await pilot.press("escape")
        await settle(pilot)
        assert "advice on this run" not in "\n".join(screen_text(app))


async def test_without_advice_there_is_no_line_and_the_key_says_that_all_is_well() -> None:
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "▲ " not in "\n".join(screen_text(app))
        await pilot.press("w")
        await settle(pilot)
        assert "the rules find nothing wrong" in "\n".join(screen_text(app))


@pytest.mark.parametrize("pushed", [0, 2])
@pytest.mark.parametrize("linked", [False, True])
def test_only_the_log_gives_way_to_advice(pushed: int, linked: bool) -> None:
    for size in ((80, 24), (120, 40), (200, 60)):
        without = arrange(*size, pushed=pushed, also={LINK} if linked else ())
        places = with_advice(without)
        assert {name for name in without if places[name] != without[name]} == {"log"}
        line, log = places["advice"], places["log"]
        assert line.y == without["log"].y and line.bottom == log.y and log.bottom <= size[1] - 1


def test_a_view_has_no_advice_of_its_own() -> None:
    assert View(ConsoleState()).advice == ()


def write_run(folder: Path, task: str, steps: list[tuple[int, bool, bool]]) -> None:
    """`steps`: (environment steps, success, helped) of each training episode."""
    folder.mkdir(parents=True)
    opened = {"t": 1.0, "event": {"type": "RunOpened", "task": task}}
    (folder / "events.jsonl").write_text(json.dumps(opened) + "\n")
    lines = [
        json.dumps({"env_steps": at, "episode_success": float(success), "intervened": float(helped)})
        for at, success, helped in steps
    ]
    (folder / "metrics_episodes.jsonl").write_text("\n".join(lines) + '\n{"env_steps": 90')


def test_similar_runs_tell_when_they_first_succeeded_alone(tmp_path: Path) -> None:
    for number, first in enumerate((300, 500, 900)):
        helped = (100, True, True)
        write_run(
            tmp_path / f"run{number}", "pick", [helped, (first, True, False), (first + 50, True, False)]
        )
    write_run(tmp_path / "lucky", "pick", [(60, True, False)])
    write_run(tmp_path / "other", "push", [(10, True, False), (20, True, False)])
    assert typical(tmp_path / "mine", "pick") == (500, "3 runs of this task first did")


def test_without_similar_runs_our_own_benchmark_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "mine", "pick", [(10, True, False), (20, True, False)])
    assert typical(tmp_path / "mine", "pick") == OURS
    assert typical(tmp_path / "nowhere" / "mine", "pick") == OURS


def test_the_journal_has_the_names_that_are_looked_for(tmp_path: Path) -> None:
    """Guards against a rename on the writing side, which lives in another room."""
    from workers.station.journal import Journal

    run = tmp_path / "real"
    Journal(run).write(demo.OPENED)
    lines = [{"env_steps": at, "episode_success": 1.0, "intervened": 0.0} for at in (70, 80)]
    (run / "metrics_episodes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert typical(tmp_path / "mine", demo.OPENED.task) == (70, "the other run of this task first did")
