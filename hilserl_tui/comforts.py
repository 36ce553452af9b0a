"""Comforts: what helps the person at the console and drives nothing.

`Console` inherits this between the keys' actions and its own life; Textual calls the handlers of both.
"""

import gc
import os
from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.theme import Theme

from hilserl_tui.actions import KeyActions
from hilserl_tui.bell import NO_BELL, Bell
from hilserl_tui.guarding import abandoned
from hilserl_tui.keymap import remap
from hilserl_tui.panes.lines import Lines
from hilserl_tui.theme import THEMES, use
from workers.model.commands import ApplySettings, ReadSettings
from workers.model.settings_events import SettingsRead

if TYPE_CHECKING:
    from hilserl_tui.advising import Advising
    from hilserl_tui.preferences import Preferences
    from hilserl_tui.screens.base import ConsoleScreen
    from hilserl_tui.screens.doctor import Doctor
    from workers.model.advice import Advice

LOOK_EVERY_S = 1.0
DEFAULT_THEME = "dark"
NO_KEY = "nothing"
"""A key that no keyboard has, for Textual, which takes "" for "as it was"."""


class Comforts(KeyActions):
    """Advice; settings that may change while a run goes on; the person's own keys, theme and bell."""

    _asked = 0  # the newest question for what the file says; 0 when it was answered
    _rung = NO_BELL

    @cached_property
    def advising(self) -> "Advising":
        from hilserl_tui.advising import Advising  # there is time for it behind the first screen

        return Advising()

    @property
    def advice(self) -> "tuple[Advice, ...]":
        """What the rules say of the run, since they were first asked."""
        return self.advising.now if "advising" in self.__dict__ else ()

    def on_mount(self) -> None:
        self.set_interval(LOOK_EVERY_S, self._look_after)
        self.theme_changed_signal.subscribe(self, self._draw_anew)

    def prefer(self, preferences: "Preferences | None") -> None:
        """Before anything is drawn."""
        for name, theme in THEMES.items():
            self.register_theme(theme)
            if name == (preferences.theme if preferences else DEFAULT_THEME):
                use(name)
                self.theme = theme.name
        if preferences is None:
            return
        if preferences.keys:
            remap(preferences.keys)
            self.set_keymap({name: keys or NO_KEY for name, keys in preferences.keys.items()})
        self._rung = Bell(preferences.bell)

    def theme_commands(self) -> Iterator[SystemCommand]:
        """For the palette."""
        for name, theme in THEMES.items():
            if theme.name != self.theme:
                does = "until the console is closed; `theme` in the preferences keeps it"
                yield SystemCommand(f"Theme · {name}", does, partial(self._change_theme, name))

    def _change_theme(self, name: str) -> None:
        use(name)
        self.theme = THEMES[name].name

    def _draw_anew(self, _: Theme) -> None:
        """Rows are kept with their colours: every pane draws anew."""
        for screen in self.screen_stack:
            for pane in screen.query(Lines):
                pane.forget()

    def _look_after(self) -> None:
        from hilserl_tui.screens.advice import AdviceScreen

        if abandoned():
            self.exit()  # the shell has the terminal again

        first = "advising" not in self.__dict__
        self.advising.look(self.client.state, self.client.now_s())
        if first:
            gc.freeze()  # what was imported behind the first screen stays too
        for screen in self.screen_stack:
            if isinstance(screen, AdviceScreen):
                screen.show(self.view())

    def state_changed(self) -> None:
        """After every batch of events."""
        if self._rung.rings(self.client.state):
            self.bell()
        read = self.client.state.settings
        if self._asked and read is not None and read.number == self._asked:
            self._asked = 0
            self._show_settings(read)

    def action_reload(self) -> None:
        """Have the configuration file read again; the answer opens a screen."""
        from hilserl_tui.screens.settings import SettingsScreen

        if isinstance(self.screen, SettingsScreen):
            return
        number = int.from_bytes(os.urandom(6)) + 1  # other consoles ask too
        if self._send(ReadSettings(number)):
            self._asked = number

    def _show_settings(self, read: SettingsRead) -> None:
        from hilserl_tui.screens.settings import SettingsScreen

        if not (read.changes or read.problems):
            self.hint("the configuration file has not changed: nothing to apply")
            return
        self.push_screen(SettingsScreen(read), lambda yes: self._apply_settings(read, bool(yes)))

    def _apply_settings(self, read: SettingsRead, yes: bool) -> None:
        if yes and read.digest and self._send(ApplySettings(read.digest)):
            self.hint("sent to the workers; the log says when each setting has changed")

    @cached_property
    def _doctor(self) -> "Doctor":
        from hilserl_tui.screens.doctor import Doctor

        return Doctor()

    def action_doctor(self) -> None:
        """Show what was found, and look again."""
        self._go(self._doctor)
        self._doctor.call_after_refresh(lambda: self._doctor.look(self.view()))

    def _go(self, screen: "ConsoleScreen") -> None:
        """Show a full screen."""
        raise NotImplementedError

    def action_advice(self) -> None:
        from hilserl_tui.screens.advice import AdviceScreen

        if isinstance(self.screen, AdviceScreen):
            return
        screen = AdviceScreen()
        self.push_screen(screen)
        screen.call_after_refresh(lambda: screen.show(self.view()))
