"""Honest progress: every figure a run is judged by is on the screen, with its interval and what it is of."""

import pytest

from hilserl_tui.app import Console
from hilserl_tui.panes.draw import row_width
from hilserl_tui.panes.honest import figures
from hilserl_tui.view import View
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from workers.model import events as e
from workers.model import select
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

METRICS = {
    "q_demonstrations": 0.812,
    "q_policy": 0.531,
    "entropy": -1.25,
    "temperature": 0.0071,
    "saturated": 0.12,
    "rewarded": 0.021,
    "critic_loss": 0.01,
}
STAGES = {"decide": 12.0, "observe": 31.0, "record": 2.0}


def learning() -> ConsoleState:
    state = demo.training()
    for event in (
        e.LearnerProgress(10_424, 5_212, 1.98, 21.4, 38, "training", METRICS),
        e.LoopRate("actor", 10.0, 100.0, 103.0, 3, STAGES),
        e.EvaluationProgress(17, 20, 20, 36, True),
        e.LinkChanged(
            e.LinkState.UP,
            "gpu:50051",
            since_s=90.0,
            backlog=40,
            backlog_bytes=2_000_000,
            bytes_per_s=250_000.0,
            round_trip_ms=18.0,
        ),
    ):
        state = reduce(state, event)
    return state


def demo_training(first: int, last: int | None):
    return select.training_episodes(learning())[first:last]


def words(state: ConsoleState, width: int = 120) -> dict[str, str]:
    rows = figures(View(state, now_s=104.0), width)
    assert all(row_width(row) == width for row in rows)
    return {name.strip(): text.strip() for (name, _), (text, _) in rows}


def test_every_figure_says_what_it_is_of() -> None:
    told = words(learning())
    assert told["success alone"] == "0.95  19 of 20 episodes, 95 % interval 0.76 to 0.99"
    assert told["success, all"] == "1.00  helped or not"
    assert told["evaluation"] == "17 of 20, interval 0.64 to 0.95, of policy 36 alone"
    assert told["episode length"] == "6.1 s"
    assert told["cycle time"] == "6.1 s from the reset to a success"
    recent, before = (select.intervention_rate(demo_training(a, b)) for a, b in ((-20, None), (-40, -20)))
    assert told["human-driven"] == f"{recent:.0%} of the steps, {before:.0%} before"
    assert told["interventions"].startswith("0.1 an episode, ")
    assert told["update-to-data"] == "1.98 updates per step received, of 2.00 wanted; 21.4/s"
    assert told["policy"] == "37, 8 s old, 1 behind the learner's"
    assert told["Q"] == "0.812 of demonstrated actions, 0.531 of the policy's"
    assert told["entropy"] == "-1.25 nats, at temperature 0.0071"
    assert told["saturation"] == "12% of the policy's motions are at full speed"
    assert told["batch"] == "50% online, 50% offline; 2.1% with reward"
    assert told["step"] == "decide 12.0, observe 31.0, record 2.0: 45 of 100 ms; 3 late"
    assert told["link"].startswith("up, 2.0 Mbit/s, 18 ms round trip, 40 records (2.0 MB) wait")


def test_what_is_not_known_is_not_said() -> None:
    told = words(demo.fold(demo.opening()))
    assert told.keys() <= {"batch"}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=["80x24", "120x40", "200x60"])
async def test_train_shows_the_interval_the_length_of_interventions_and_the_times(
    size: tuple[int, int],
) -> None:
    app = Console(Still(learning()), start_run=True)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = "\n".join(screen_text(app))
        assert "S alone 0.95 [0.76 0.99]" in text
        assert "episode  6.1 s  cycle  6.1 s" in text
        assert "eval 17/20" in text
        assert " 2.9 s" in text
        if size != (80, 24):
            assert "Q demos  0.812  policy  0.531" in text
            assert "entropy" in text and "temp." in text
            assert "step 45 of 100 ms" in text
        if size == (200, 60):
            assert "step  decide 12  observe 31  record 2  left 55  ms" in text


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_all_figures_are_behind_a_key(size: tuple[int, int]) -> None:
    app = Console(Still(learning()), start_run=True)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        text = "\n".join(screen_text(app))
        assert "95 % interval 0.76 to 0.99" in text
        assert "of demonstrated actions" in text
        await pilot.press("end")
        await settle(pilot)
        assert "decide 12.0, observe 31.0, record 2.0" in "\n".join(screen_text(app))
