"""The Bounds screen: what was seen, what is missing, what would be written, and the keys on the way."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from typer.testing import CliRunner

from hilserl_tui import opening
from hilserl_tui.app import Console
from hilserl_tui.commands import app as commands
from hilserl_tui.commands import with_command
from hilserl_tui.panes.draw import row_width
from hilserl_tui.panes.survey import span_gauge
from hilserl_tui.screens.bounds import Content, places
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from tests.console.test_screens import LARGE, SIZES, SMALL, drawn
from workers.config.ready import ready_config
from workers.model import commands as c
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.model.survey import Span, Stage, Survey

REACH = replace(
    demo.OPENED,
    run="pick-limits",
    ee_min_m=(-0.45, -0.5, 0.01),
    ee_max_m=(0.55, 0.5, 0.55),
    trains=False,
    demonstrations_wanted=0,
    finds_limits=True,
)
LINES = (
    "# End Effector Bounds (x, y, z), metres:",
    "max_ee = [0.33, 0.13, 0.17]",
    "min_ee = [0.17, -0.09, 0.01]",
    "# Joint Position Limits, degrees (gripper: percent open):",
    "max_pos = [41.3809, 63.9232, 52.7543, 94.0309, 44.0012, 40.2101]",
    "min_pos = [-41.5909, -76.0089, -73.2406, 60.0409, -37.3675, 39.897]",
)
DIFFERENCE = (
    "line 38", "+[env.robot.joint_limits_deg]", *(f"+{joint} = [-57.3, 55.2]" for joint in "abcde"), "+", "line 64",
    "-end_effector_bounds = { min = [0.18, -0.12, 0.012], max = [0.32, 0.12, 0.16] }   # metres, base frame",
    "+end_effector_bounds = { min = [0.17, -0.09, 0.01], max = [0.33, 0.13, 0.17] }   # metres, base frame",
)  # fmt: skip
NARROW = "y: the arm moved only 0.4 cm, the least is 3 cm; move it along y as well"
SEEN = Survey(
    stage=Stage.COUNTING,
    left_s=12.4,
    counted_s=17.6,
    joints_deg=(10.0, -2.0, 0.4, 91.7, 2.8, 40.0),
    axes=(Span(0.18, 0.32), Span(-0.08, 0.12), Span(0.02, 0.16)),
    joints=tuple(Span(-20.0 - joint, 30.0 + joint) for joint in range(6)),
    joints_reach=tuple(Span(-110.0, 110.0) for _ in range(6)),
    box_min_m=(0.17, -0.09, 0.01),
    box_max_m=(0.33, 0.13, 0.17),
    margin_m=0.01,
    floor_m=0.01,
    reset_m=(0.22, 0.0, 0.08),
    present=((0.18, -0.12, 0.012), (0.32, 0.12, 0.16)),
)
DONE = replace(SEEN, stage=Stage.DONE, left_s=None, lines=LINES, difference=DIFFERENCE)


def surveyed(survey: Survey | None = SEEN, driver: e.Driver = e.Driver.HUMAN) -> ConsoleState:
    state = ConsoleState()
    for event in (
        REACH,
        *(e.WorkerChanged(worker, e.WorkerState.RUNNING) for worker in demo.WORKERS[:-1]),
        e.OperatorChanged(scripted=False, attached=1, holder="me"),
        e.PhaseChanged(e.Phase.SURVEYING, "looking for the workspace"),
        e.DriverChanged(driver, "space takes the arm" if driver is e.Driver.NOBODY else ""),
        e.ArmMoved((0.25, 0.03, 0.09), 40.0, e.GateMode.ENGAGED, at_s=100.0),
        *([] if survey is None else [e.Surveyed(survey)]),
    ):
        state = reduce(state, event)
    return state


async def bounds(state: ConsoleState, size: tuple[int, int], *keys: str) -> list[str]:
    return await drawn(Still(state), size, "3", *keys)


@SIZES
async def test_while_it_counts_every_axis_joint_and_the_time_left_are_seen(size):
    rows = await bounds(surveyed(), size)
    text = "\n".join(rows)
    assert "▲ HUMAN" in rows[0] and "counting  12 s left" in rows[0]
    assert "counting, 18 s" in text and "12 s left" in text
    for words in ("+0.170 +0.330 16.0 cm", "-0.090 +0.130 22.0 cm", "+0.010 +0.170 16.0 cm", "[■", "◆"):
        assert words in text
    for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"):
        assert joint in text
    assert "-20.0   30.0" in text and "reset pose +0.220 +0.000 +0.080" in text
    assert "top" in text and "side" in text
    assert "Done" in rows[-1] and "STOP" in rows[-1] and "Give back" in rows[-1]


@SIZES
async def test_before_anybody_drives_it_says_how(size):
    waiting = replace(SEEN, stage=Stage.WAITING, axes=None, joints=(), left_s=5.0)
    rows = await bounds(surveyed(waiting, e.Driver.NOBODY), size)
    text = "\n".join(rows)
    assert "space  takes the arm" in text and "nothing counted yet" in text
    assert "space takes the arm" in rows[0] and "5 s left" in rows[0]


@SIZES
async def test_a_real_arm_can_be_led_by_hand_before_its_first_motion_and_the_result_be_written(size):
    """The keys that matter then are all there, and no words are cut off."""
    opened = replace(REACH, simulated=False)
    still = e.ArmMoved((0.25, 0.03, 0.09), 40.0, e.GateMode.HOLD, at_s=100.0, unconfirmed=True)
    waiting = replace(SEEN, stage=Stage.WAITING, axes=None, joints=(), left_s=5.0)
    state = reduce(reduce(surveyed(waiting, e.Driver.NOBODY), opened), still)
    rows = await bounds(reduce(state, e.Surveyed(waiting)), size)
    words = " ".join("".join(rows).replace("│", " ").split())
    for row in ("lets the arm move", "go where the task", "m m", "move it by hand"):
        assert row in words, row
    assert "Let it move" in rows[-1] and "Done" in rows[-1] and "By hand" in rows[-1]
    rows = await bounds(reduce(state, e.Surveyed(DONE)), size)
    assert "Let it move" in rows[-1] and "Write" in rows[-1]


@SIZES
async def test_what_is_still_missing_is_said_while_it_counts_and_keeps_it_from_being_written(size):
    missing = replace(SEEN, problems=(NARROW,), axes=(SEEN.axes[0], Span(0.0, 0.004), SEEN.axes[2]))
    assert "only 0.4 cm" in "\n".join(await bounds(surveyed(missing), size))
    rows = await bounds(surveyed(replace(missing, stage=Stage.DONE, left_s=None)), size)
    text = "\n".join(rows)
    assert "cannot be written yet" in text and "move it along y" in " ".join(text.split())
    assert "Write" not in rows[-1] and "Count on" in rows[-1]
    assert "+0.170 +0.330" in text, "the figures that say where it is too narrow stay"


@SIZES
async def test_the_whole_result_and_what_changes_in_the_file_fit_on_the_screen(size):
    rows = await bounds(surveyed(DONE), size)
    text = "\n".join(rows)
    for line in (*LINES, *DIFFERENCE[:8]):
        assert line in text
    flat = " ".join(word.strip("│") for word in text.split())
    assert "-end_effector_bounds = { min = [0.18, -0.12, 0.012], max = [0.32, 0.12," in flat
    assert "+end_effector_bounds = { min = [0.17, -0.09, 0.01], max = [0.33, 0.13," in flat
    assert "0.16]" in flat and "0.17]" in flat
    assert "Write" in rows[-1]


async def test_a_file_that_could_not_be_written_says_why_and_can_be_tried_again():
    refused = replace(DONE, problems=("task.toml: is read-only; nothing was written",))
    client = Still(surveyed(refused))
    text = "\n".join(await drawn(client, SMALL, "3", "enter"))
    assert "is read-only" in text and "try again" in text
    assert c.Survey(c.SurveyStep.WRITE) in client.sent


@SIZES
async def test_a_stop_is_as_loud_here_as_everywhere(size):
    rows = await bounds(reduce(surveyed(), e.StopLatched("kim")), size)
    assert "■ STOPPED" in rows[1] and "Home" in rows[3] and "Clear stop" in rows[-1]


async def test_a_written_file_says_where_the_old_one_is():
    written = replace(DONE, stage=Stage.WRITTEN, written="task.toml.before")
    state = reduce(surveyed(written), e.RunEnded("task.toml has the new bounds", succeeded=True))
    assert "as it was, the file is in task.toml.before" in "\n".join(await bounds(state, LARGE))


@SIZES
async def test_a_run_that_uses_its_bounds_shows_them_and_says_how_to_find_others(size):
    text = "\n".join(await bounds(demo.training(), size))
    flat = " ".join(word for word in text.split() if word != "││")
    assert "hilserl-tui find-limits" in flat and "configs/sim_pick_lift.toml" in flat
    assert "+0.120 +0.380 26.0 cm" in text


@SIZES
async def test_the_face_that_keys_move_is_seen_with_how_far_it_was_moved(size):
    client = Still(surveyed(replace(DONE, faces_max_m=(0.0, 0.002, 0.0))))
    rows = await drawn(client, size, "3", "z", "z", "z", "full_stop")
    assert "greatest y +0.130 m, moved +2 mm" in " ".join(rows)
    assert c.MoveFace(c.Axis.Y, 1, 0.001) in client.sent


async def test_an_environment_without_an_arm_has_no_workspace():
    state = reduce(demo.training(), replace(demo.OPENED, has_arm=False))
    assert "no arm" in "\n".join(await bounds(state, SMALL))


@pytest.mark.parametrize(
    ("survey", "key", "command"),
    [
        (SEEN, "d", c.Survey(c.SurveyStep.DONE)),
        (DONE, "d", c.Survey(c.SurveyStep.GO_ON)),
        (DONE, "o", c.Survey(c.SurveyStep.START_OVER)),
        (DONE, "equals_sign", c.SetMargin(0.015)),
        (DONE, "minus", c.SetMargin(0.005)),
        (DONE, "comma", c.MoveFace(c.Axis.X, -1, -0.001)),
        (DONE, "full_stop", c.MoveFace(c.Axis.X, -1, 0.001)),
        (DONE, "enter", c.Survey(c.SurveyStep.WRITE)),
    ],
)
async def test_a_key_becomes_a_wish(survey, key, command):
    client = Still(surveyed(survey))
    await drawn(client, SMALL, "3", key)
    assert command in client.sent


@pytest.mark.parametrize(
    ("state", "key", "words"),
    [
        (
            surveyed(replace(DONE, problems=(NARROW,), difference=())),
            "enter",
            "nothing is written: y: the arm",
        ),
        (surveyed(SEEN), "full_stop", "which ends the counting"),
        (demo.training(), "d", "this run does not look for bounds"),
        (demo.training(), "equals_sign", "this run does not look for bounds"),
    ],
    ids=["too narrow", "face while it counts", "done elsewhere", "margin elsewhere"],
)
async def test_a_key_that_cannot_act_says_why(state, key, words, monkeypatch):
    hints: list[str] = []
    monkeypatch.setattr(Console, "hint", lambda app, text: hints.append(text))
    client = Still(state)
    await drawn(client, LARGE, "3", key)
    assert any(words in hint for hint in hints)
    assert not [
        command for command in client.sent if isinstance(command, c.Survey | c.SetMargin | c.MoveFace)
    ]


async def pressed(state: ConsoleState, *keys: str) -> list[c.Command]:
    """What was sent, of those that a real arm heeds."""
    client = Still(state)
    await drawn(client, LARGE, "3", *keys)
    return [sent for sent in client.sent if isinstance(sent, c.LetGo | c.ConfirmMotion | c.ClearStop)]


async def test_a_real_arm_is_let_go_of_only_at_the_second_press_and_the_simulated_one_never():
    real = replace(surveyed(SEEN), run=replace(REACH, simulated=False))
    assert await pressed(real, "m") == []
    assert await pressed(real, "m", "m") == [c.LetGo(on=True)]
    assert await pressed(surveyed(SEEN), "m", "m") == []
    limp = replace(real, arm=replace(real.arm, mode=e.GateMode.LIMP))
    assert await pressed(limp, "m") == [c.LetGo(on=False)]


async def test_a_first_motion_is_confirmed_like_a_cleared_stop():
    waits = replace(surveyed(SEEN), arm=replace(demo.training().arm, mode=e.GateMode.HOLD, unconfirmed=True))
    assert await pressed(waits, "y") == []
    assert await pressed(waits, "ctrl+e", "y") == [c.ConfirmMotion("me")]
    stopped = replace(waits, control=replace(waits.control, stopped=True))
    assert await pressed(stopped, "ctrl+e", "y") == [c.ClearStop("me")]
    waits = replace(waits, arm=replace(waits.arm, reason="first motion: look at the arm"))
    text = "\n".join(await bounds(waits, SMALL))
    assert "first motion" in text and "Let it move" in text


async def test_home_knows_how_far_the_workspace_is():
    text = "\n".join(await drawn(Still(surveyed()), SMALL, train=False))
    assert "workspace" in text and "counting, 14, 20, 14 cm along x, y, z so far" in text
    assert "demonstrations" not in text and " 3  watch and take part" in text


async def test_the_console_opens_on_the_screen_it_is_told():
    app = Console(Still(surveyed()), start_run=True, screen="bounds")
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "what now" in "\n".join(screen_text(app))


async def test_the_screen_survives_every_size():
    app = Console(Still(surveyed(DONE)), screen="bounds")
    async with app.run_test(size=LARGE) as pilot:
        for size in ((80, 24), (40, 10), (10, 3), (200, 60), (108, 36)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert all(cell_len(row) == size[0] for row in screen_text(app))


@given(st.integers(80, 260), st.integers(24, 90), st.sampled_from([0, 2]), st.sampled_from(Content))
def test_panes_never_overlap_and_never_leave_the_screen(width, height, pushed, content):
    found = list(places(width, height, pushed=pushed, content=content).values())
    for i, place in enumerate(found):
        assert place.x >= 0 and place.y >= 2 + pushed
        assert place.right <= width and place.bottom <= height - 1
        assert all(not place.overlaps(other) for other in found[i + 1 :])


@given(st.floats(-2, 2), st.floats(-1, 1), st.floats(0, 1), st.integers(6, 60), st.booleans())
def test_a_gauge_of_what_was_seen_keeps_its_width(value, low, width_seen, width, mirrored):
    ends = (1.0, -1.0) if mirrored else (-1.0, 1.0)
    for seen in (None, (low, low + width_seen)):
        assert row_width(span_gauge(value, seen, *ends, width, "amber", "green")) == width


def test_find_limits_opens_a_station_of_its_own_for_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(opening, "find_limits", lambda *given: asked.extend(given))
    words = with_command(["find-limits", "task.toml", "--margin-m", "0.01", "--duration-s", "30"])
    assert CliRunner().invoke(commands, words).exit_code == 0
    path, options = asked
    assert path == Path("task.toml")
    assert {"--operator=person", "--margin-m=0.01", "--duration-s=30.0"} <= set(options)  # type: ignore[call-overload]


def test_a_file_without_an_arm_is_refused_before_anything_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hilserl_tui.cli", "find-limits", str(ready_config("gym_hil_pick_cube"))],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and "no arm whose workspace could be found" in done.stderr
