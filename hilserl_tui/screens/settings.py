"""What the configuration file says now, beside what the run goes by; asks before anything changes."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.settings import settings_rows
from hilserl_tui.view import View
from workers.model.settings_events import SettingsRead
from workers.model.state import ConsoleState


class SettingsList(Lines):
    DEFAULT_CSS = "SettingsList { height: auto; }"
    greyed = False

    def __init__(self, read: SettingsRead) -> None:
        super().__init__()
        self._read = read

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(settings_rows(self._read, width))

    def watched(self, view: View) -> tuple[object, ...]:
        return ()

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        return settings_rows(self._read, width)


class SettingsScreen(ModalScreen[bool]):
    """Returns True when what may change shall change."""

    DEFAULT_CSS = """
    SettingsScreen { align: center middle; background: $background 60%; }
    SettingsScreen > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $edge;
        border-title-color: $accent; border-subtitle-color: $accent; background: $surface; padding: 0 1;
    }
    """
    BINDINGS = [
        Binding("y,enter", "answer(True)", "Change", id="settings-yes"),
        Binding("escape,n,q", "answer(False)", "Leave", id="settings-no"),
    ]

    def __init__(self, read: SettingsRead) -> None:
        super().__init__()
        self._read = read

    def compose(self) -> ComposeResult:
        box = VerticalScroll()
        box.border_title = "the configuration file says now"
        box.border_subtitle = "y changes them, esc leaves all as it is" if self._read.digest else "esc closes"
        with box:
            yield SettingsList(self._read)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self.query_one(SettingsList).show, View(ConsoleState()))

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes and bool(self._read.digest))
