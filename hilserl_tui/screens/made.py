"""Screens, made when they are first shown: what is not on the first one does not delay it."""

from functools import cached_property
from typing import TYPE_CHECKING

from hilserl_tui.actions import KeyActions

if TYPE_CHECKING:
    from hilserl_tui.screens.base import ConsoleScreen
    from hilserl_tui.screens.bounds import Bounds
    from hilserl_tui.screens.classifier import Classifier
    from hilserl_tui.screens.crop import Crop
    from hilserl_tui.screens.episodes import Episodes
    from hilserl_tui.screens.evaluate import Evaluate
    from hilserl_tui.screens.record import Record
    from hilserl_tui.screens.train import Train


class MadeScreens(KeyActions):
    """One of each kind for a console."""

    @cached_property
    def _record(self) -> "Record":
        from hilserl_tui.screens.record import Record

        return Record()

    @cached_property
    def _train(self) -> "Train":
        from hilserl_tui.screens.train import Train

        return Train()

    @cached_property
    def _bounds(self) -> "Bounds":
        from hilserl_tui.screens.bounds import Bounds

        return Bounds()

    @cached_property
    def _episodes(self) -> "Episodes":
        from hilserl_tui.screens.episodes import Episodes

        return Episodes()

    @cached_property
    def _crop(self) -> "Crop":
        from hilserl_tui.screens.crop import Crop

        return Crop()

    @cached_property
    def _classifier(self) -> "Classifier":
        from hilserl_tui.screens.classifier import Classifier

        return Classifier()

    @cached_property
    def _evaluate(self) -> "Evaluate":
        from hilserl_tui.screens.evaluate import Evaluate

        return Evaluate()

    def _go(self, screen: "ConsoleScreen") -> None:
        raise NotImplementedError

    def action_classifier(self) -> None:
        self._go(self._classifier)

    def action_evaluations(self) -> None:
        self._go(self._evaluate)
