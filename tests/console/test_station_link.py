import asyncio
import time

import pytest

from hilserl_tui.app import Console
from hilserl_tui.client import LiveClient
from hilserl_tui.launch import Launch
from hilserl_tui.view import Link
from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.still import screen_text
from workers.model import commands as c
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState
from workers.model.wire import Refused, Role

SIZE = (120, 40)


class Session:
    """A fake station, and the real app attached to it."""

    def __init__(self, path, state: ConsoleState, **console):
        self.station = FakeStation(path, state)
        self.client = LiveClient(path, "me")
        self.app = Console(self.client, **console)

    async def __aenter__(self):
        await self.station.start()
        self._test = self.app.run_test(size=SIZE, notifications=True)
        self.pilot = await self._test.__aenter__()
        await self.until(lambda: self.client.link is Link.UP)
        return self

    async def __aexit__(self, *error):
        await self._test.__aexit__(*error)
        await self.station.die()

    async def until(self, true, within_s=3.0):
        end = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < end, "did not happen"
            await asyncio.sleep(0.01)

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await asyncio.sleep(0.05)

    def text(self):
        return "\n".join(screen_text(self.app))


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "s"


def policy():
    return demo.fold(
        demo.opening(),
        iter([(0.0, e.PhaseChanged(e.Phase.TRAINING))]),
        demo.running(e.Driver.POLICY, seconds=1),
    )


def human():
    return reduce(policy(), e.DriverChanged(e.Driver.HUMAN))


COMMANDS = {
    "space": c.Intervene(True),
    "s": c.Mark(c.Verdict.SUCCESS),
    "f": c.Mark(c.Verdict.FAILURE),
    "r": c.Mark(c.Verdict.RERECORD),
    "p": c.Pause(True),
    "a": c.UseScript(False),
}
JOGS = {
    "up": ("x", 1),
    "down": ("x", -1),
    "left": ("y", 1),
    "right": ("y", -1),
    "u": ("z", 1),
    "pageup": ("z", 1),
    "j": ("z", -1),
    "pagedown": ("z", -1),
    "[": ("gripper", -1),
    "]": ("gripper", 1),
}


async def test_a_key_is_one_exact_command(socket):
    async with Session(socket, policy()) as session:
        for number, (key, command) in enumerate(COMMANDS.items(), start=1):
            await session.press(key)
            await session.until(lambda n=number: len(session.station.commands) >= n)
            assert session.station.commands[-1] == command, key
        assert len(session.station.commands) == len(COMMANDS)


async def test_a_press_is_one_jog_step_while_the_human_drives(socket):
    async with Session(socket, human()) as session:
        for number, (key, step) in enumerate(JOGS.items(), start=1):
            before = time.monotonic()
            await session.press(key)
            await session.until(lambda n=number: len(session.station.commands) >= n)
            jog = session.station.commands[-1]
            assert isinstance(jog, c.Jog)
            assert (jog.axis, jog.direction) == step, key
            assert before <= jog.pressed_s <= time.monotonic()
        assert len(session.station.commands) == len(JOGS)


async def test_a_jog_key_does_not_move_the_arm_while_the_policy_drives(socket):
    async with Session(socket, policy()) as session:
        await session.press("up")
        assert session.station.commands == []
        await session.until(lambda: "space takes over first" in session.text())


async def test_the_first_motion_of_a_demonstration_can_be_a_key_press(socket):
    """While it is waited for, nobody drives yet; and space gives the arm back."""
    waits = reduce(human(), e.DriverChanged(e.Driver.NOBODY, e.FIRST_MOTION))
    async with Session(socket, waits) as session:
        await session.press("up")
        await session.until(lambda: session.station.commands)
        assert isinstance(session.station.commands[0], c.Jog)
        await session.press("space")
        await session.until(lambda: len(session.station.commands) == 2)
        assert session.station.commands[1] == c.Intervene(False)


async def test_between_episodes_the_arm_stays_with_who_took_it(socket):
    """An episode has just ended, or just begun and not been told yet: nobody drives by what the console knows."""
    between = reduce(reduce(human(), e.SeatChanged(True)), e.DriverChanged(e.Driver.NOBODY))
    async with Session(socket, between) as session:
        await session.press("up")
        await session.until(lambda: session.station.commands)
        assert isinstance(session.station.commands[0], c.Jog), "the actor knows whether it moves anything"
        assert "takes over first" not in session.text()
        await session.press("space")
        await session.until(lambda: len(session.station.commands) == 2)
        assert session.station.commands[1] == c.Intervene(False)


async def test_a_key_between_episodes_says_why_nothing_moves(socket):
    waits = e.DriverChanged(e.Driver.NOBODY, f"{e.SET_UP}: 4 s left, n when ready")
    async with Session(socket, reduce(reduce(human(), e.SeatChanged(True)), waits)) as session:
        await session.press("up")
        await session.until(lambda: "the arm waits: keys move it in the next episode" in session.text())


async def test_space_gives_back_what_it_took(socket):
    async with Session(socket, human()) as session:
        await session.press("space")
        assert session.station.commands == [c.Intervene(False)]


async def test_stop_travels_on_its_own_connection(socket):
    async with Session(socket, policy()) as session:
        await session.until(
            lambda: {hello.role for hello in session.station.hellos} == {Role.CONSOLE, Role.STOP}
        )
        await session.press("x")
        await session.press("ctrl+c")
        await session.until(lambda: len(session.station.stops) == 2)
        assert session.station.commands == []


async def test_nothing_drives_while_stopped_and_clearing_takes_two_keys(socket):
    async with Session(socket, reduce(human(), e.StopLatched("me"))) as session:
        await session.press("space", "up", "y")
        assert session.station.commands == []
        await session.press("ctrl+e", "s", "y")
        assert c.ClearStop("me") not in session.station.commands
        await session.press("ctrl+e", "y")
        assert session.station.commands[-1] == c.ClearStop("me")


async def test_who_only_watches_sends_nothing_until_they_take_the_controls(socket):
    state = reduce(policy(), e.OperatorChanged(scripted=True, attached=2, holder="kim"))
    async with Session(socket, state) as session:
        await session.press("space", "p")
        assert session.station.commands == []
        await session.press("g")
        await session.until(
            lambda: any(isinstance(got, c.TakeControl) for _, got in session.station.received)
        )


@pytest.mark.parametrize(
    ("holder", "words"), [("kim", "another console holds"), ("", "nobody holds")], ids=["kim", "nobody"]
)
async def test_a_key_of_who_does_not_hold_the_controls_is_answered_on_the_screen(socket, holder, words):
    state = reduce(human(), e.OperatorChanged(scripted=True, attached=2, holder="kim"))
    async with Session(socket, state) as session:
        session.station.say(e.OperatorChanged(scripted=True, attached=1, holder=holder))
        await session.until(lambda: session.client.state.control.holder == holder)
        for key in ("space", "up", "p"):
            session.app.clear_notifications()
            await session.press(key)
            await session.until(lambda: f"{words} the controls; g takes them" in session.text())
        assert session.station.commands == []


async def test_an_attached_console_takes_free_controls_and_no_others(socket):
    def asked(session):
        return [got for _, got in session.station.received if isinstance(got, c.TakeControl)]

    for holder, expected in (("", [c.TakeControl("me")]), ("kim", [])):
        state = reduce(policy(), e.OperatorChanged(scripted=True, attached=1, holder=holder))
        async with Session(socket, state) as session:
            await asyncio.sleep(0.1)
            assert asked(session) == expected


async def test_leaving_a_run_that_is_over_ends_its_station(socket):
    async with Session(socket, policy()) as session:
        session.station.say(e.RunEnded("learner failed: no memory", succeeded=False, failed=True))
        await session.until(lambda: "the run is over: learner failed: no memory" in session.text())
        await session.press("q")
        await session.until(lambda: c.ShutDown() in session.station.commands)
        assert session.app.is_running, "the arm is on its way to the rest pose"
        session.station.say(e.LogLine("robot", e.Level.WARNING, "parked; torque off"))
        await session.station.die()
        await session.until(lambda: session.app.return_code == 0)
    assert "learner failed: no memory" in session.app.parting
    assert "the arm: parked; torque off" in session.app.parting


async def test_a_run_that_is_over_is_left_to_the_console_that_holds_it(socket):
    state = reduce(policy(), e.OperatorChanged(scripted=True, attached=2, holder="kim"))
    async with Session(socket, reduce(state, e.RunEnded("proven", succeeded=True))) as session:
        await session.press("q")
        await session.until(lambda: session.app.return_code == 0)
        assert session.station.commands == []


async def test_start_begins_the_run_at_once_and_shows_train(socket):
    async with Session(socket, demo.fold(demo.opening()), start_run=True) as session:
        await session.until(lambda: session.station.commands == [c.StartRun()])
        await session.pilot.pause(0.3)
        assert "end effector" in session.text()


async def test_enter_on_home_starts_the_run(socket):
    async with Session(socket, demo.fold(demo.opening())) as session:
        await session.pilot.pause(0.2)
        await session.press("enter")
        assert session.station.commands == [c.StartRun()]


async def test_pictures_are_asked_for_in_the_size_they_are_shown_and_not_on_home(socket):
    async with Session(socket, policy(), start_run=True) as session:
        await session.pilot.pause(0.4)
        sizes = [got for _, got in session.station.received if isinstance(got, c.ShowCameras)]
        assert sizes[-1].width == sizes[-1].height == 30
        await session.press("1")
        await session.pilot.pause(0.3)
        sizes = [got for _, got in session.station.received if isinstance(got, c.ShowCameras)]
        assert sizes[-1].width == 0


async def test_the_state_bar_follows_the_station_within_two_ticks(socket):
    async with Session(socket, policy(), start_run=True) as session:
        await session.pilot.pause(0.3)
        session.station.say(e.StopLatched("kim"))
        await session.until(lambda: "■ STOPPED" in session.text(), 0.5)


async def test_a_station_that_comes_back_is_found_again(socket):
    async with Session(socket, policy(), start_run=True) as session:
        await session.station.die()
        await session.until(lambda: session.client.link is Link.DOWN)
        await session.pilot.pause(0.2)
        assert "◌ NO LINK" in session.text()
        session.station = FakeStation(socket, human())
        await session.station.start()
        await session.until(lambda: session.client.link is Link.UP)
        await session.until(lambda: "▲ HUMAN" in session.text())


async def test_quit_asks_and_escape_stays(socket):
    async with Session(socket, policy()) as session:
        await session.press("q")
        await session.pilot.pause(0.2)
        assert "stop the run and quit" in session.text()
        await session.press("escape")
        await session.pilot.pause(0.2)
        assert "stop the run and quit" not in session.text()
        assert session.station.commands == []


async def test_detach_leaves_the_run_and_gives_the_arm_back(socket):
    async with Session(socket, human()) as session:
        await session.press("q", "d")
        await session.pilot.pause(0.2)
        assert session.station.commands == [c.Intervene(False)]
        assert session.app.return_code == 0


async def test_stop_and_quit_waits_for_the_run_to_end(socket):
    async with Session(socket, policy()) as session:
        await session.press("q", "s")
        assert session.station.commands == [c.ShutDown()]
        assert session.app.is_running
        session.station.say(e.RunEnded("stopped by hand", False))
        session.station.say(e.PhaseChanged(e.Phase.STOPPING, "parking, 4 s"))
        session.station.say(e.ArmMoved((0.2, 0.0, 0.1), 5.0, e.GateMode.PARK, reason="parking", at_s=300.0))
        await session.until(lambda: "parking, 4 s" in session.text())
        assert session.app.is_running, "the station says that the run is over, and then parks the arm"
        await session.station.die()
        await session.until(lambda: session.app.return_code == 0)


async def test_who_quits_twice_does_not_wait_for_the_station(socket):
    async with Session(socket, policy()) as session:
        await session.press("q", "s")
        await session.press("q")
        await session.until(lambda: session.app.parting)
        assert "still stopping" in session.app.parting


async def test_stop_works_over_the_quit_question_and_the_palette_takes_an_x(socket):
    async with Session(socket, policy()) as session:
        await session.press("q")
        await session.press("x")
        await session.until(lambda: len(session.station.stops) == 1)
        await session.press("escape", "colon")
        await session.pilot.pause(0.3)
        await session.press("x")
        assert len(session.station.stops) == 1
        await session.press("ctrl+c")
        await session.until(lambda: len(session.station.stops) == 2)


async def test_a_refusal_ends_the_console_with_its_words(socket):
    station = FakeStation(socket, ConsoleState(), Refused("protocol 9 is spoken here", "upgrade the console"))
    await station.start()
    app = Console(LiveClient(socket, "me"))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
    assert app.return_code == 2
    assert "upgrade the console" in app.parting
    await station.die()


async def test_a_station_that_died_at_birth_is_explained(socket):
    class Dead(Launch):
        def begin(self) -> None:
            pass

        def failed(self) -> str:
            return "the station ended: EGL is missing"

    app = Console(LiveClient(socket, "me"), launch=Dead(socket, socket.parent))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
    assert app.return_code == 1
    assert "EGL is missing" in app.parting


async def test_key_to_wire_is_quick_while_everything_redraws(socket):
    async with Session(socket, human(), start_run=True) as session:

        async def busy():
            for _, event in demo.running(e.Driver.HUMAN, seconds=20):
                session.station.say(event)
                if isinstance(event, e.StepTaken):
                    await asyncio.sleep(0.02)

        task = asyncio.create_task(busy())
        for _ in range(10):
            await session.pilot.press("up")
        task.cancel()
        delays = sorted(at - got.pressed_s for at, got in session.station.received if isinstance(got, c.Jog))
        assert len(delays) == 10
        assert delays[len(delays) // 2] < 0.02


@pytest.mark.parametrize(
    "words",
    [
        "parked; torque off",
        "not parked (stop key): the arm is left holding, its torque is ON. Hold it and cut the supply",
        "it never moved, but its torque may be on: the port is gone",
    ],
)
async def test_after_quitting_the_terminal_says_whether_the_arm_has_torque(socket, words):
    parked = e.LogLine("robot", e.Level.WARNING, words)
    async with Session(socket, reduce(policy(), parked)) as session:
        await session.press("q", "s")
        await session.until(lambda: c.ShutDown() in session.station.commands)
        await session.station.die()
        await session.until(lambda: session.app.parting)
        assert session.app.parting == f"the run is stopped; the arm: {words}"
