"""hilserl-tui arm: the tools for a bare arm, one after the other, on the screen; here on an emulated arm."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Static

from hilserl_tui import arm_tools
from hilserl_tui.arm_app import ArmConsole
from hilserl_tui.arm_opening import targets
from hilserl_tui.arm_tools import FRAME, ROW, TOOLS, Running, Target
from tests.emulators.bus import emulated_bus
from tests.robot.arm.arms import hold
from workers.arm_commands import SERVO_HEAD, servo_line, sweep_table
from workers.robot.calibrate import Sweep
from workers.robot.scan import Found
from workers.runtime import terminal

SWEPT = {
    "shoulder_pan": (-109, 109), "shoulder_lift": (-99, 99), "elbow_flex": (-96, 96), "wrist_flex": (-94, 94),
    "wrist_roll": (-159, 159), "gripper": (1, 99),
}  # fmt: skip
MIDDLE = tuple(0.5 * sum(ends) for ends in SWEPT.values())


async def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        await asyncio.sleep(0.05)


def said(app: ArmConsole) -> str:
    assert app.running is not None
    return "\n".join([*app.running.lines, *app.running.frame])


async def test_a_step_that_lacks_something_says_what() -> None:
    app = ArmConsole(Target())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        assert app.hint == "the port is not known yet: step 1 finds it"
        app.target = Target(port="/dev/nowhere")
        await pilot.press("4")
        assert "n gives it a name" in app.hint
        assert app.running is None


async def test_a_port_that_is_not_there_is_refused_in_words() -> None:
    app = ArmConsole(Target(port="/dev/nowhere"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(lambda: app.state["2"] == "wrong")
        assert "no serial port /dev/nowhere" in said(app)
        assert "Traceback" not in said(app)
        await pilot.pause()
        keys = str(app.query_one("#keys", Static).content)
        assert "run a step" in keys and "break off" not in keys, "keys of a step that is over"


async def test_what_tools_draw_stays_whole_beside_the_steps_of_80_columns() -> None:
    app = ArmConsole(Target())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        room = (
            app.query_one("#said").scrollable_content_region.width - 2
        )  # where it is longer than the screen
        servo = servo_line(Found(6, 1_000_000, 777, "3.10", 12.4, 60, 4095, -2047))
        sweep = Sweep(dict.fromkeys(range(6), 0), np.full(6, 4096.0))
        sweep.see(dict.fromkeys(range(6), 4000), 0.0)
        assert max(map(len, (SERVO_HEAD, servo, *sweep_table(sweep).splitlines()))) <= room
        steps = app.query_one("#steps", Static)
        assert max(map(len, str(steps.content).splitlines())) <= steps.content_size.width


@pytest.mark.timeout(240)
async def test_an_arm_is_scanned_named_and_calibrated(tmp_path: Path) -> None:
    with emulated_bus(state="assembled") as bus:
        app = ArmConsole(Target(port=bus.port, calibration_dir=str(tmp_path)))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("2")
            await until(lambda: app.state["2"] == "done")
            assert "a complete arm, nothing is wrong" in said(app)
            await pilot.press("n", *"mine", "enter")
            assert app.target.arm_id == "mine"
            await pilot.press("4")
            await until(lambda: "shoulder_pan" in said(app))
            for pose in (*zip(*SWEPT.values(), strict=True), MIDDLE):
                await asyncio.to_thread(hold, bus, pose, 1.0)
                await asyncio.sleep(1.3)
            await until(lambda: said(app).count("°  ok") == len(SWEPT))
            await pilot.press("enter")
            await until(lambda: app.state["4"] != "runs")
            assert app.state["4"] == "done", said(app)
        stored = json.loads((tmp_path / "mine.json").read_text())
        assert stored == bus.calibration()


async def test_breaking_off_leaves_no_tool_behind() -> None:
    with emulated_bus() as bus:
        app = ArmConsole(Target(port=bus.port))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("3")
            await until(lambda: "has id 6" in said(app))
            await pilot.press("escape")
            await until(lambda: app.state["3"] == "wrong")
            assert "broken off" in said(app)
            await pilot.press("2")
            await until(lambda: "baud" in said(app))
            await pilot.press("escape")
            await until(lambda: app.state["2"] == "wrong")
            assert "the scan was broken off" in said(app)


async def test_a_console_that_ignores_interrupts_breaks_its_tools_off_all_the_same() -> None:
    """As one that a script runs in its background; so does whatever it starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with emulated_bus() as bus:
            running = Running(lambda: None)
            work = asyncio.create_task(running.run(["scan-arm", "--port", bus.port]))
            await until(lambda: any("baud" in line for line in running.lines + running.frame))
            await running.end()
            await work
    finally:
        signal.signal(signal.SIGINT, before)
    assert running.code == 2 and "the scan was broken off" in running.lines


async def test_a_tool_that_speaks_when_the_screen_is_gone_is_heard_to_its_end() -> None:
    with emulated_bus() as bus:
        app = ArmConsole(Target(port=bus.port))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("2")
            await until(lambda: "baud" in said(app))
        assert app.running is not None and app._work is not None
        await app.running.end()
        await app._work
    assert app.running.code == 2 and "the scan was broken off" in said(app)


async def test_a_tool_that_does_not_end_is_killed_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tools, "END_S", 0.2)
    with emulated_bus() as bus:
        running = Running(lambda: None)
        work = asyncio.create_task(running.run(["scan-arm", "--port", bus.port]))
        await until(lambda: any("baud" in line for line in running.lines + running.frame))
        process = running._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        await running.end()
        await work
    assert running.code == -signal.SIGKILL and running.lines[-1] == arm_tools.KILLED


async def test_follower_and_leader_have_each_their_own() -> None:
    app = ArmConsole(Target(port="/dev/a"), Target(port="/dev/b", leader=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        assert (app.target.port, app.target.leader) == ("/dev/b", True)
        await pilot.press("l")
        assert app.target.port == "/dev/a"


def test_the_arms_of_a_configuration() -> None:
    follower, leader = targets(Path("configs/so101_leader.toml"))
    assert (follower.port, follower.arm_id, follower.kind) == ("/dev/ttyACM0", "my_follower", "so101")
    assert leader is not None and (leader.port, leader.arm_id, leader.leader) == (
        "/dev/ttyACM1",
        "my_leader",
        True,
    )
    assert targets(Path("configs/so101_gamepad.toml"))[1] is None


def test_what_a_tool_draws_over_itself_replaces_what_it_drew_before() -> None:
    running = Running(lambda: None)
    for line in ("begins", f"{FRAME}a 1{ROW}b 1", f"{FRAME}a 2{ROW}b 2", "ends"):
        running._take(line)
    assert running.lines == ["begins", "a 2", "b 2", "ends"]
    assert (FRAME, ROW) == (terminal.FRAME, terminal.ROW)


def test_every_tool_is_a_command_of_the_worker() -> None:
    from workers.cli import app as worker

    names = {command.name for command in worker.registered_commands}
    whole = Target("/dev/a", "it", True, "so100", "/tmp")
    other = Target("/dev/b", "her", kind="so100")
    for tool in TOOLS:
        command = tool.command(whole, other)
        assert isinstance(command, list) and command[0] in names


def test_arms_are_compared_as_follower_and_leader_whichever_is_on_the_screen() -> None:
    compare = next(tool.command for tool in TOOLS if tool.name == "compare")
    follower, leader = Target("/dev/a", "blue"), Target("/dev/b", "red", leader=True, calibration_dir="/tmp")
    command = compare(follower, leader)
    assert command == compare(leader, follower)
    assert isinstance(command, list)
    assert command[command.index("--port") + 1] == "/dev/a"
    assert command[command.index("--leader-id") + 1] == "red" and "--leader-calibration-dir" in command
    words = compare(follower, Target(leader=True))
    assert isinstance(words, str) and "the leader has no port or name" in words
