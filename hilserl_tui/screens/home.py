"""Home: the steps of a run, what this run has of each, and the one key that goes on."""

from textual.app import ComposeResult

from hilserl_tui.panes.checklist import Checklist
from hilserl_tui.screens.base import ConsoleScreen


class Home(ConsoleScreen):
    name_in_view = "home"
    DEFAULT_CSS = """
    Home { align: center middle; }
    Home Checklist {
        width: 100%; max-width: 100; height: 1fr; margin: 1 0 0 0; padding: 0 2;
    }
    """

    def body(self) -> ComposeResult:
        yield Checklist()
