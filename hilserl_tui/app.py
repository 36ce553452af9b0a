"""The console's app: follows the station, paces drawing, switches screens.

Nothing is shown before the station says so. Events are folded at any rate; drawing waits for the terminal
(see `drawing`), except for the state bar, which shows a change of driver or mode at once.
"""

import gc
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input

from hilserl_tui.actions import FACES
from hilserl_tui.client import StationClient
from hilserl_tui.comforts import Comforts
from hilserl_tui.drawing import TICK_S, PacedDrawing
from hilserl_tui.driver import ConsoleDriver, StopPressed
from hilserl_tui.hold_to_move import HoldToMove, may_hold
from hilserl_tui.keymap import KEYS
from hilserl_tui.keymap import hint as key
from hilserl_tui.launch import REFUSED, Launch
from hilserl_tui.leaving import Leaving
from hilserl_tui.pace import Turn
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.screens.home import Home
from hilserl_tui.screens.made import MadeScreens
from hilserl_tui.tmux import Watched
from hilserl_tui.view import Link, View
from workers.model.commands import RenewLease, ShowCameras, StartRun, TakeControl
from workers.model.events import LinkState, Phase

if TYPE_CHECKING:
    from hilserl_tui.preferences import Preferences
    from hilserl_tui.screens.placed import PlacedScreen

CAMERA_HZ = 10.0
GARBAGE_EVERY = 5_000  # objects; 700 as Python has it costs 1 % of a core, this a third of that
END_SHOWN_S = 60.0
REFUSAL_SHOWN_S = 20.0


def _collect_garbage_from_here_on() -> None:
    """`opening` starts without the collector; modules and widgets made so far are never garbage.

    What is drawn makes many objects that are soon gone: the collector looks seldom, and finds them gone already.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 10, 10)
    gc.enable()


class Console(PacedDrawing, Comforts, MadeScreens, Leaving):
    """Follows `client`; `launch` starts its station once the first screen is painted.

    `screen` names the first one; what fits the run, if none is named.
    """

    COMMAND_PALETTE_BINDING = "ctrl+p"
    ALLOW_SELECT = False
    TITLE = "hilserl-tui"
    CSS = """
    Toast { background: $surface; border-left: outer $accent; }
    * { scrollbar-size-vertical: 1; scrollbar-color: $edge; scrollbar-background: $background; }
    """
    BINDINGS: ClassVar = [
        Binding(one.keys, one.action, one.label, id=one.id, show=False, priority=one.priority) for one in KEYS
    ]

    def __init__(
        self,
        client: StationClient,
        *,
        start_run: bool = False,
        launch: Launch | None = None,
        screen: str = "",
        preferences: "Preferences | None" = None,
    ) -> None:
        super().__init__(driver_class=ConsoleDriver)
        self.prefer(preferences)
        self.client = client
        holds = preferences is None or preferences.jog == "hold"
        self.hold_to_move = HoldToMove(self.pacer, client.drive, holds and may_hold())
        self._start_run = start_run
        self._first = screen or ("train" if start_run or client.recorded else "home")
        self._launch = launch
        self._watched = Watched()
        self._home = Home()
        self._bar: tuple[object, ...] = ()
        self._asked_size = (0, 0)
        self._was_up = False
        self._told_end = False
        self._told_refusal = ""

    def _job(self) -> "PlacedScreen":
        """The screen of what the run does."""
        run = self.client.state.run
        if run is not None and run.mode == "evaluate":
            return self._evaluate
        return self._record if run is not None and run.mode == "record" else self._train

    # --- life -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.call_after_refresh(_collect_garbage_from_here_on)
        self.push_screen(self._first_screen())
        self.client.start(self._station_changed)
        if self._launch is not None:
            self.screen.call_after_refresh(self._launch.begin)
        self.set_interval(TICK_S, self._tick)
        self.run_worker(self._watched.follow(), exit_on_error=False)
        self.refresh_view()

    def _first_screen(self) -> ConsoleScreen:
        match self._first:
            case "bounds":
                return self._bounds
            case "crop":
                return self._crop
            case "episodes":
                return self._episodes
            case "evaluate":
                return self._evaluate
            case "train":
                return self._job()
        return self._home

    async def on_unmount(self) -> None:
        await self.client.close()

    def _station_changed(self) -> None:
        """In the event loop, after every batch of events and every change of the link."""
        link = self.client.link
        if link is Link.REFUSED:
            self._part(REFUSED, self.client.refused_words + self.client.trouble)
        elif link is Link.CONNECTING and self._launch is not None and (why := self._launch.failed()):
            self._part(REFUSED if self._launch.refused else 1, why)
        elif link in (Link.DOWN, Link.ENDED) and self._leaving and not self.client.connected:
            self._part_after_the_station()
        if link is Link.UP and not self._was_up:
            self._attached()
        self._was_up = link is Link.UP
        self.look_after_held_keys()
        self._tell_end()
        self._tell_refusal()
        self.state_changed()
        state = self.client.state
        asks = state.classifier and state.classifier.pending
        bar = (state.control, state.arm.mode, link, state.link and state.link.state, asks)
        if self._bar != bar:
            self._bar = bar
            self.show_bar()

    def _tell_end(self) -> None:
        """Once, the whole reason: the bars have room for its first words."""
        progress = self.client.state.progress
        if progress.ended and not self._told_end and not self._leaving:
            self._told_end = True
            kind: SeverityLevel = "information" if progress.succeeded else "warning"
            self.notify(
                f"the run is over: {progress.ended}", severity=kind, timeout=END_SHOWN_S, markup=False
            )

    def _tell_refusal(self) -> None:
        """Once, why the learner elsewhere says no, and what to do: the panes have room for its first words."""
        learner = self.client.state.link
        if learner is None or learner.state is not LinkState.REFUSED:
            self._told_refusal = ""
        elif learner.reason != self._told_refusal:
            self._told_refusal = learner.reason
            words = f"no link to the learner at {learner.learner}: {learner.reason}"
            self.notify(words, severity="warning", timeout=REFUSAL_SHOWN_S, markup=False)

    def _attached(self) -> None:
        """A link came up: take free controls, begin the run if asked to, ask for pictures again."""
        state = self.client.state
        if not state.control.holder:
            self.client.send(TakeControl(self.client.name))
        elif self._start_run:
            self.hint(f"another console holds the controls; {key('control')} takes them")
        if self._start_run and state.progress.phase is Phase.IDLE:
            self.client.send(StartRun())
        self._start_run = False
        self._asked_size = (0, 0)
        screen = self._console_screen()
        if screen is not None and screen.name_in_view == "train" and screen is not self._job():
            self._go(self._job())  # it was shown before anybody knew what the run is for

    # --- drawing ----------------------------------------------------------------------------------------

    def view(self) -> View:
        client, screen = self.client, self._console_screen()
        return View(
            state=client.state,
            link=client.link,
            now_s=client.now_s(),
            link_ms=self.pacer.link_ms,
            jog="hold" if self.hold_to_move.holds else "step",
            me=client.name,
            recorded=client.recorded,
            clearing=time.monotonic() < self.clear_until_s,
            screen=screen.name_in_view if screen else "",
            advice=self.advice,
            face=FACES[self.face],
        )

    def _console_screen(self) -> ConsoleScreen | None:
        """The topmost full screen, also under a modal."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, ConsoleScreen)), None)

    def _tick(self) -> None:
        if not self.screen_stack:
            return  # the app is closing: its screens go before its timers
        self.typing = isinstance(self.focused, Input)
        self.look_after_held_keys()
        self.tick()
        self._ask_for_pictures()

    def drawn_screen(self) -> ConsoleScreen | None:
        screen = self._console_screen()
        return screen if screen is not None and screen.stands else None

    def draw_now(self, screen: ConsoleScreen, turn: Turn) -> None:
        if turn is Turn.TEXT:
            screen.show(self.view())
        else:
            screen.show_cameras(self.view())

    def show_bar(self) -> None:
        screen = self._console_screen()
        if screen is not None and screen.stands:
            screen.show_state_bar(self.view())

    def refresh_view(self) -> None:
        """Draw everything as soon as the layout stands: after a change of screen."""
        screen = self._console_screen()
        if screen is not None:
            screen.call_after_refresh(lambda: screen.show(self.view()) if screen.stands else None)

    def _ask_for_pictures(self) -> None:
        screen = self._console_screen()
        size = screen.picture_size() if screen is not None and screen.is_mounted else (0, 0)
        if size != self._asked_size and self.client.send(ShowCameras(*size, hz=CAMERA_HZ)):
            self._asked_size = size

    # --- the terminal's life signs ----------------------------------------------------------------------

    def left_alone(self) -> bool:
        return self._watched.left

    def on_stop_pressed(self, event: StopPressed) -> None:
        self.tell_stop(event.delivered)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            # A key is a life sign too, and the only one under a terminal that answers no questions.
            self.client.send(RenewLease())
            if event.key != "y" and self.clear_until_s:
                self.clear_until_s = 0.0
                self.show_bar()
        self.acting = event if isinstance(event, events.Key) else None
        await super().on_event(event)
        self.acting = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "stop" and not parameters and isinstance(self.focused, Input))

    # --- screens ----------------------------------------------------------------------------------------

    def pop_screen(self) -> AwaitComplete:
        """Never a full screen: a window that two quick keys close would take the one below along."""
        return AwaitComplete.nothing() if isinstance(self.screen, ConsoleScreen) else super().pop_screen()

    def action_home(self) -> None:
        self._go(self._home)

    def action_train(self) -> None:
        self._go(self._bounds if self.view().stage is not None else self._job())

    def action_crop(self) -> None:
        if self.client.recorded:
            self.hint("this is a recording: it has no live cameras to crop")
        else:
            self._go(self._crop)

    def _go(self, screen: ConsoleScreen) -> None:
        if not self.top_stays():
            return
        if self.view().dataset and screen is not self._first_screen():
            self.hint(f"a dataset is open, no run: {key('quit')} leaves it")
        elif self._console_screen() is not screen:
            self.switch_screen(screen)
        self.refresh_view()

    def action_bounds(self) -> None:
        self._go(self._bounds)

    def action_cameras(self) -> None:
        job, view = self._job(), self.view()
        back = self._console_screen() is job and job.only_cameras and view.stage is not None
        self._go(self._bounds if back else job)
        if view.dataset:
            return
        job.call_after_refresh(job.toggle_cameras)
        self.refresh_view()

    def action_help(self) -> None:
        from hilserl_tui.screens.help import Help

        screen = self._console_screen()
        self.push_screen(Help(screen.keys_in_help if screen else None, runs=not self.view().dataset))

    def action_command_palette(self) -> None:
        from hilserl_tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_join(self) -> None:
        from hilserl_tui.screens.join import Join

        run = self.client.state.run
        if self.client.recorded:
            self.hint("this is a recording: there is no run that could join a learner")
        elif not isinstance(self.screen, Join):
            self.push_screen(Join(Path(run.config_path) if run else None))

    def action_leave(self) -> None:
        from hilserl_tui.screens.quit import Quit

        screen = self._console_screen()
        if isinstance(self.screen, Quit) or (screen is not None and screen.keeps_back()):
            return
        if self.view().dataset:
            self.exit()
            return
        if self._leaving:
            self._leave_at_once()
            return
        if self.view().over and not self.client.recorded:
            self._leave_ended()
            return
        can_stop = not self.client.recorded and self.client.link in (Link.UP, Link.DOWN)
        if self.client.link in (Link.ENDED, Link.CONNECTING):
            self.exit()
            return
        asks = Quit(human=self._drives(), can_stop=can_stop, stopped=self._stays_stiff())
        self.push_screen(asks, self._quit_answered)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for one in KEYS:
            if one.id not in ("confirm-clear", "stop-always", "palette"):
                run = partial(self.run_action, one.action)
                yield SystemCommand(f"{one.label} · {one.caption}", one.help, run)
        here = self._console_screen()
        for one in here.own_keys if here is not None else ():
            run = partial(self.run_action, one.action, here)
            yield SystemCommand(f"{one.label} · {one.caption}", one.help, run)
        yield from self.theme_commands()
