"""Help: every key, by group, from the key table; and how driving works here."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from hilserl_tui.classifier_keys import CLASSIFIER_KEYS
from hilserl_tui.crop_keys import CROP_KEYS
from hilserl_tui.episode_keys import EPISODE_KEYS
from hilserl_tui.evaluate_keys import EVALUATE_KEYS
from hilserl_tui.keymap import KEYS, Group, hint
from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.lines import Lines
from hilserl_tui.preferences_path import shown_path
from hilserl_tui.view import View
from workers.model.state import ConsoleState

NOTES: tuple[str, ...] = (
    "jog: hold, where the terminal tells it: a driving key moves the arm until it is let go.",
    "jog: step, everywhere else: a press is one bounded step; holding the key repeats steps.",
    "{stop} is a software stop, not a safety-rated one. Keep the power switch at hand.",
    "Keys, theme and bell are yours to choose: {file}",
)


WITHOUT_A_RUN = ("help", "palette", "quit")


def key_rows(first: Group | None = None, runs: bool = True) -> list[Row]:
    """Every key, those of the group `first` before the others; only those that do something where no run is open."""
    rows: list[Row] = []
    for group in sorted(Group, key=lambda group: group is not first):
        keys = [
            key
            for key in (*KEYS, *CROP_KEYS, *EPISODE_KEYS, *CLASSIFIER_KEYS, *EVALUATE_KEYS)
            if key.group is group and key.id != "confirm-clear"
        ]
        if not runs and group is not first:
            keys = [key for key in keys if key.id in WITHOUT_A_RUN]
        if keys:
            rows.append(((group.value, "amber"),))
        rows += [((f"  {key.caption:<10}", "bold"), (key.help, "text")) for key in keys]
    rows.append(())
    if not runs:
        return rows
    names = {"stop": hint("stop"), "file": shown_path()}
    rows += [((note.format_map(names), "dim"),) for note in NOTES]
    return rows


class KeyList(Lines):
    DEFAULT_CSS = "KeyList { height: auto; }"
    greyed = False
    first: Group | None = None
    runs = True

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(key_rows(self.first, self.runs))

    def watched(self, view: View) -> tuple[object, ...]:
        return ()

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        return key_rows(self.first, self.runs)


class Help(ModalScreen[None]):
    """`first` is the group of the screen that it was opened from; `runs` is False where a dataset is open."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $edge;
        border-title-color: $accent; background: $surface; padding: 0 1;
    }
    """
    BINDINGS = [Binding("escape,question_mark,q", "dismiss", "Close", id="help-close")]

    def __init__(self, first: Group | None = None, runs: bool = True) -> None:
        super().__init__()
        self._first, self._runs = first, runs

    def compose(self) -> ComposeResult:
        box = VerticalScroll()
        box.border_title = "keys"
        box.border_subtitle = "esc closes, ↑ ↓ scroll"
        with box:
            keys = KeyList()
            keys.first, keys.runs = self._first, self._runs
            yield keys

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self.query_one(KeyList).show, View(ConsoleState()))
