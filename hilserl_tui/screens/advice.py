"""Everything that the rules have to say of the run, and its figures, over the screen."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from hilserl_tui.panes.advice import AdviceList
from hilserl_tui.view import View


class AdviceScreen(ModalScreen[None]):
    """Follows the run while it is open: `show` is called with every drawing."""

    DEFAULT_CSS = """
    AdviceScreen { align: center middle; background: $background 60%; }
    AdviceScreen > VerticalScroll {
        width: 88; max-width: 100%; height: auto; max-height: 100%; border: round $edge;
        border-title-color: $accent; background: $surface; padding: 0 1;
    }
    """
    BINDINGS = [Binding("escape,w,q", "dismiss", "Close", id="advice-close")]

    def compose(self) -> ComposeResult:
        box = VerticalScroll()
        box.border_title = "advice on this run"
        box.border_subtitle = "esc closes, ↑ ↓ scroll"
        with box:
            yield AdviceList()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def show(self, view: View) -> None:
        if self.is_mounted and self.is_attached:
            for pane in self.query(AdviceList):
                pane.show(view)
