"""Home: the steps of a run, what this run has of each, the one key that goes on, and what was last said."""

from textual.app import ComposeResult

from hilserl_tui.panes.checklist import Checklist
from hilserl_tui.panes.log import LogPane
from hilserl_tui.screens.base import ConsoleScreen


class Home(ConsoleScreen):
    name_in_view = "home"
    DEFAULT_CSS = """
    Home Checklist { height: 18; max-width: 108; padding: 1 2 0 2; }
    Home LogPane {
        height: 1fr; padding: 0 2;
        border-top: solid $edge; border-title-color: $dim; border-title-style: bold;
    }
    """

    def body(self) -> ComposeResult:
        yield Checklist()
        yield LogPane()
