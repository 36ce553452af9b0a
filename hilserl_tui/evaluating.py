"""The Evaluate screen's place in the console."""

from functools import cached_property
from typing import TYPE_CHECKING

from hilserl_tui.actions import KeyActions

if TYPE_CHECKING:
    from hilserl_tui.screens.base import ConsoleScreen
    from hilserl_tui.screens.evaluate import Evaluate


class EvaluateAction(KeyActions):
    """The key that shows it."""

    @cached_property
    def _evaluate(self) -> "Evaluate":
        from hilserl_tui.screens.evaluate import Evaluate

        return Evaluate()

    def _go(self, screen: "ConsoleScreen") -> None:
        raise NotImplementedError

    def action_evaluations(self) -> None:
        self._go(self._evaluate)
