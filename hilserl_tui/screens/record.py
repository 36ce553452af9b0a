"""Record: the pictures, the episodes so far, and the arm."""

from collections.abc import Collection, Iterable

from textual.geometry import Region

from hilserl_tui.panes.classifier import ClassifierPane
from hilserl_tui.panes.demos import Demos
from hilserl_tui.panes.ee_bounds import EndEffector
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.log import LogPane
from hilserl_tui.screens.arrange import arrange_record
from hilserl_tui.screens.placed import PlacedScreen


class Record(PlacedScreen):
    name_in_view = "record"

    def panes(self) -> Iterable[tuple[str, Lines]]:
        return (
            ("arm", EndEffector()),
            ("classifier", ClassifierPane()),
            ("demos", Demos()),
            ("log", LogPane()),
        )

    def places(self, width: int, height: int, pushed: int, also: Collection[str]) -> dict[str, Region]:
        return arrange_record(width, height, pushed=pushed, also=also)
