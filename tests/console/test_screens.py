import pytest
from rich.cells import cell_len
from textual.command import CommandList

from hilserl_tui.app import Console
from hilserl_tui.view import Link
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from workers.model import commands as c
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

SMALL, LARGE, HUGE = (80, 24), (120, 40), (200, 60)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


async def drawn(client: Still, size: tuple[int, int], *keys: str, train: bool = True) -> list[str]:
    app = Console(client, start_run=train)
    async with app.run_test(size=size) as pilot:
        rows = await settle(pilot)
        if keys:
            await pilot.press(*keys)
            rows = await settle(pilot)
    assert all(cell_len(row) == size[0] for row in rows)
    return rows


def stopped() -> ConsoleState:
    return reduce(demo.training(), e.StopLatched("kim@pts/3"))


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE], ids=["80x24", "120x40", "200x60"])
async def test_train_tells_who_drives_and_how_it_goes(size):
    rows = await drawn(Still(demo.training()), size)
    text = "\n".join(rows)
    assert "▶ POLICY" in rows[0]
    assert "ep  84" in rows[0]
    assert "step  40/100" in rows[0]
    assert "10.0 Hz" in rows[0]
    for words in ("top", "side", "◆", "+0.339", "S alone 0.95", "H all 1.00", "this episode 0.00", "last 20"):
        assert words in text
    for words in ("online", "5.2k", "offline", "1.8k", "50% / 50%", "1.98", "of 2.00", "21.4/s", "8 s old"):
        assert words in text
    for worker in demo.WORKERS:
        assert worker in text
    assert "policy 38 sent" in text
    assert "STOP" in rows[-1]


@SIZES
async def test_the_human_is_told_that_they_drive(size):
    rows = await drawn(Still(demo.training(e.Driver.HUMAN)), size)
    assert "▲ HUMAN" in rows[0]
    assert "you have the arm" in rows[0]
    assert "Give back" in rows[-1]
    assert "Move" in rows[-1]
    assert "Gripper" in rows[-1]


@SIZES
async def test_a_stop_fills_three_rows_and_names_the_way_out(size):
    rows = await drawn(Still(stopped()), size)
    assert "■ STOPPED" in rows[1]
    assert "kim@pts/3" in rows[1]
    assert "ctrl+e, then y" in rows[1]
    assert "Home" in rows[3]
    assert "Clear stop" in rows[-1]


async def test_a_robot_worker_that_is_started_again_is_no_calm_hold():
    state = reduce(demo.training(), e.WorkerChanged("robot", e.WorkerState.RESTARTING, "died of SIGKILL", 1))
    rows = await drawn(Still(state), SMALL)
    assert "HOLD" in rows[0] and "the robot worker died" in rows[0]


@SIZES
async def test_a_stop_that_the_arm_found_by_itself_says_why_and_what_to_do(size):
    why = "elbow_flex: no reply for 3 readings"
    advice = "The servos behind it answer: check the plugs of id 3 and its supply"
    said = f"{why}. {advice}; ctrl+e, then y acknowledges; the arm then starts slowly"
    state = reduce(demo.training(), e.LogLine("robot", e.Level.WARNING, said, 1.7e9))
    arm = e.ArmMoved((0.3, 0.0, 0.1), 50.0, e.GateMode.STOPPED, reason=why, at_s=200.0)
    rows = await drawn(Still(reduce(state, arm)), size)
    assert "■ STOPPED" in rows[0] + rows[1]
    bar = " ".join(" ".join(rows[:3]).split())
    assert why in bar and advice in bar and "ctrl+e, then y clears the stop" in bar
    assert "acknowledges" not in bar, "said twice"


@SIZES
async def test_the_bar_says_how_keys_drive_while_they_do(size):
    (first, *_) = await drawn(Still(demo.training(e.Driver.HUMAN)), size)
    assert "you have the arm" in first and "jog: step" in first and "link" in first
    (first, *_) = await drawn(Still(demo.training()), size)
    assert "jog" not in first


def waiting(*events: e.Event) -> ConsoleState:
    hold = e.ArmMoved((0.2, 0.0, 0.1), 50.0, e.GateMode.HOLD, reason="no target for 30 s")
    state = demo.fold(demo.opening(), iter([(0.0, e.PhaseChanged(e.Phase.TRAINING)), (0.0, hold)]))
    for event in events:
        state = reduce(state, event)
    return state


async def test_the_bar_says_what_the_arm_waits_for():
    policy = e.DriverChanged(e.Driver.NOBODY, "the learner prepares the first policy")
    paused = e.PauseChanged(True, "nobody holds the controls")
    for state, words in (
        (waiting(), "no target for 30 s"),
        (waiting(policy), "the learner prepares the first policy"),
        (waiting(policy, paused), "nobody holds the controls"),
    ):
        rows = await drawn(Still(state), LARGE)
        assert "‖ HOLD" in rows[0]
        assert words in rows[0]


@SIZES
async def test_the_whole_reason_of_the_end_is_on_home(size):
    advice = (
        "learner failed: no EGL here. " + "The renderer needs a display library. " * 3 + "Install libegl1"
    )
    rows = await drawn(Still(waiting(e.RunEnded(advice, succeeded=False, failed=True))), size, train=False)
    text = " ".join(" ".join(row.split()) for row in rows)
    assert "run over" in rows[0]
    assert advice.split(". ")[-1] in text
    assert "0 of 20 recorded" in text
    assert "ends the station" in text


@SIZES
async def test_a_lost_station_leaves_its_last_state_on_the_screen(size):
    client = Still(demo.training())
    app = Console(client, start_run=True)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        client.link = Link.DOWN
        client.changed()
        await settle(pilot)
        text = "\n".join(screen_text(app))
    assert "◌ NO LINK" in text
    assert "S alone 0.95" in text
    assert "policy 38 sent" in text


@pytest.mark.parametrize(
    "state", [demo.training(), stopped(), ConsoleState()], ids=["policy", "stopped", "empty"]
)
async def test_train_draws_without_colour(state, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    rows = await drawn(Still(state), LARGE)
    assert any(word in rows[0] + rows[1] for word in ("▶ POLICY", "■ STOPPED", "‖ HOLD"))


async def test_pictures_are_drawn_beside_the_rest_on_120x40_and_alone_on_80x24():
    half = "▀" * 20
    assert half in "\n".join(await drawn(Still(demo.training()), LARGE))
    assert half not in "\n".join(await drawn(Still(demo.training()), SMALL))
    only = "\n".join(await drawn(Still(demo.training()), SMALL, "c"))
    assert half in only
    assert "front" in only
    assert "side" in only
    assert "online" not in only


@SIZES
async def test_an_empty_run_says_what_comes_first(size):
    rows = await drawn(Still(demo.fold(demo.opening())), size)
    text = "\n".join(rows)
    assert "no episode yet" in text
    assert "20 demonstrations first" in text
    assert "no arm yet" in text


@SIZES
async def test_home_names_the_steps_and_the_next_key(size):
    rows = await drawn(Still(demo.fold(demo.opening())), size, train=False)
    text = "\n".join(rows)
    for step in ("configuration", "simulator", "demonstrations", "training", "evaluation"):
        assert step in text
    assert "next" in text
    assert "start the run" in text
    assert "enter" in rows[-1]


async def test_home_says_which_camera_gives_no_pictures():
    state = demo.fold(demo.opening())
    camera = state.run.cameras[0]
    assert f"no pictures of {camera}" not in "\n".join(await drawn(Still(state), SMALL, train=False))
    state = reduce(state, e.LoopRate(f"camera-{camera}", 0.0, 0.0, 0.0, 0))
    assert f"no pictures of {camera}" in "\n".join(await drawn(Still(state), SMALL, train=False))


async def test_home_offers_to_go_on_where_a_run_stopped():
    state = demo.fold(demo.opening(), iter([(0.0, e.BufferFilled(5212, 1840, 1040, 800, 4))]))
    state = reduce(state, e.LearnerProgress(10_000, 5_212, 2.0, 0.0, 37, "loaded"))
    text = "\n".join(await drawn(Still(state), SMALL, train=False))
    assert "go on where it stopped" in text
    assert "7.1k transitions and policy 37" in text


async def test_a_failed_worker_shows_its_reason():
    state = reduce(demo.training(), e.WorkerChanged("learner", e.WorkerState.FAILED, "out of memory", 3))
    rows = await drawn(Still(state), LARGE)
    row = next(row for row in rows if "✗ learner" in row)
    assert "out of memory" in row


async def test_a_log_line_cannot_command_the_terminal():
    state = reduce(
        demo.training(), e.LogLine("actor", e.Level.INFO, "\x1b[2Jgone\x07 [red]not markup[/]", 1.0)
    )
    rows = await drawn(Still(state), LARGE)
    text = "\n".join(rows)
    assert "\x1b" not in text
    assert "[red]not markup[/]" in text


async def test_help_and_palette_open_over_the_screen():
    text = "\n".join(await drawn(Still(demo.training()), SMALL, "question_mark"))
    assert "stop the arm now" in text
    text = "\n".join(await drawn(Still(demo.training()), LARGE, "colon", "E", "v", "a", "l"))
    assert "Evaluate · e" in text


async def test_page_keys_before_the_palette_is_laid_out_end_nothing():
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("colon")
        await settle(pilot)
        commands = app.screen.query_one(CommandList)
        commands.display = False
        commands._line_cache.clear()
        await pilot.press("pagedown", "pageup", "escape", "1")
        await settle(pilot)
        assert "configuration" in "\n".join(screen_text(app))


async def test_a_screen_survives_every_size():
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        for size in ((80, 24), (40, 10), (10, 3), (200, 60), (108, 36), (120, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
        assert app.return_code is None or app.return_code == 0


async def test_a_screen_that_is_shown_again_goes_on_being_drawn():
    client = Still(demo.training())
    app = Console(client, start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        for key in ("1", "t", "1", "t"):
            await pilot.press(key)
            await settle(pilot)
        assert "S alone 0.95" in "\n".join(screen_text(app))
        client.state = reduce(client.state, e.StepTaken(84, 41, 100, 0.0, e.Driver.POLICY))
        client.changed()
        await settle(pilot)
        assert "step  41/100" in screen_text(app)[0]


@pytest.mark.parametrize(("state", "words"), [(demo.training(), "the arm parks"), (stopped(), "torque ON")])
async def test_who_quits_is_told_what_becomes_of_the_arm(state, words):
    text = "\n".join(await drawn(Still(state), SMALL, "q"))
    assert "stop the run and quit" in text and words in text


@SIZES
@pytest.mark.parametrize(
    ("reason", "label", "holder"),
    [
        ("paused by the operator", " p  Go on", "me"),
        ("paused by the operator, the disk is full", " p  Unpause", "me"),
        ("the disk is full", "", "me"),
        ("nobody holds the controls", " g  Get controls", ""),
    ],
)
async def test_the_footer_offers_what_ends_a_hold(size, reason, label, holder):
    """`p` lifts a person's pause and nothing else."""
    held = reduce(demo.training(), e.OperatorChanged(False, 1, holder))
    rows = await drawn(Still(reduce(held, e.PauseChanged(True, reason))), size)
    assert label in rows[-1]
    assert label.startswith(" p ") or " p " not in rows[-1]
    assert reason in rows[0], "and the whole reason stands on top"


async def test_a_pause_beside_another_reason_is_lifted_alone_and_says_so():
    state = reduce(demo.training(), e.PauseChanged(True, "paused by the operator, the disk is full"))
    client = Still(reduce(state, e.OperatorChanged(False, 1, "me")))
    app = Console(client, start_run=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("p")
        await settle(pilot)
        assert c.Pause(on=False) in client.sent
        assert [note.message for note in app._notifications] == [
            "the arm holds all the same: the disk is full"
        ]


@pytest.mark.parametrize("taken", [False, True], ids=["nobody", "a person"])
@pytest.mark.parametrize(
    "words",
    [
        f"{e.SET_UP}: 4 s left, n when ready",
        f"{e.COOLING}: shoulder_lift 58 °C; n goes on",
        "gamepad gone: unplugged; space takes it by keys",
    ],
)
async def test_what_is_waited_for_is_not_cut_off(words, taken):
    """Figures make room for it: between episodes nobody asks for the step or the loop's rate."""
    waits = e.DriverChanged(e.Driver.NOBODY, words)
    state = reduce(demo.training(), e.OperatorChanged(False, 1, "me"))
    for event in (e.SeatChanged(taken), waits, e.ArmMoved((0.2, 0.0, 0.1), 40.0, e.GateMode.HOLD)):
        state = reduce(state, event)
    rows = await drawn(Still(state), SMALL)
    assert words in rows[0]
    assert "link" in rows[0]
    assert ("Give back" if taken else "Take over") in rows[-1]


@pytest.mark.parametrize("state", [demo.training(), demo.fold(demo.opening())], ids=["a run", "a new run"])
async def test_home_and_train_cut_nothing_off_on_a_small_screen(state):
    for train in (False, True):
        rows = await drawn(Still(state), SMALL, train=train)
        assert [row for row in rows if "…" in row] == []


async def test_a_window_that_is_closed_twice_leaves_the_screen_below() -> None:
    """As on a busy machine, where two escapes, or an escape and its own work, close it before it is gone."""
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        window = app.screen
        window.dismiss()
        window.dismiss()
        await settle(pilot)
        assert app.screen is app._train
        await pilot.press("1")
        await settle(pilot)
        assert "configuration" in "\n".join(screen_text(app))
