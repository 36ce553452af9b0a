"""Comforts: what helps the person at the console and drives nothing.

`Console` inherits this between the keys' actions and its own life; Textual calls the handlers of both.
"""

from functools import cached_property

from hilserl_tui.actions import KeyActions
from hilserl_tui.advising import Advising

LOOK_EVERY_S = 1.0


class Comforts(KeyActions):
    """Advice."""

    @cached_property
    def advising(self) -> Advising:
        return Advising()

    def on_mount(self) -> None:
        self.set_interval(LOOK_EVERY_S, self._look_after)

    def _look_after(self) -> None:
        from hilserl_tui.screens.advice import AdviceScreen

        self.advising.look(self.client.state, self.client.now_s())
        for screen in self.screen_stack:
            if isinstance(screen, AdviceScreen):
                screen.show(self.view())

    def action_advice(self) -> None:
        from hilserl_tui.screens.advice import AdviceScreen

        if isinstance(self.screen, AdviceScreen):
            return
        screen = AdviceScreen()
        self.push_screen(screen)
        screen.call_after_refresh(lambda: screen.show(self.view()))
