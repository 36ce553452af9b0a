"""Train: where people live. Arm, cameras, episodes, learning, workers and log on one screen."""

from collections.abc import Collection, Iterable

from textual.geometry import Region

from hilserl_tui.panes.advice import AdviceLine
from hilserl_tui.panes.buffer import Buffer
from hilserl_tui.panes.classifier import ClassifierPane
from hilserl_tui.panes.ee_bounds import EndEffector
from hilserl_tui.panes.health import Health
from hilserl_tui.panes.intervention import Intervention
from hilserl_tui.panes.learner import LearnerPane
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.link import LinkPane
from hilserl_tui.panes.log import LogPane
from hilserl_tui.panes.rewards import Rewards
from hilserl_tui.screens.arrange import arrange, with_advice
from hilserl_tui.screens.placed import PlacedScreen
from hilserl_tui.view import View


class Train(PlacedScreen):
    name_in_view = "train"
    DEFAULT_CSS = "Train #advice { border: none; padding: 0 1; }"
    _advised = False

    def panes(self) -> Iterable[tuple[str, Lines]]:
        return (
            ("arm", EndEffector()),
            ("rewards", Rewards()),
            ("intervention", Intervention()),
            ("buffer", Buffer()),
            ("health", Health()),
            ("learner", LearnerPane()),
            ("classifier", ClassifierPane()),
            ("link", LinkPane()),
            ("advice", AdviceLine()),
            ("log", LogPane()),
        )

    def places(self, width: int, height: int, pushed: int, also: Collection[str]) -> dict[str, Region]:
        places = arrange(width, height, pushed=pushed, also=also)
        return with_advice(places) if self._advised else places

    def show(self, view: View) -> None:
        if self._advised != bool(view.advice):
            self._advised = not self._advised
            self._place(self.size.width, self.size.height)
        super().show(view)
