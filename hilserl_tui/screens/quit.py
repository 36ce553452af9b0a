"""Quit: what should become of the run."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hilserl_tui.keymap import hint


class Quit(ModalScreen[str]):
    """Returns "stop", "detach" or "stay"."""

    DEFAULT_CSS = """
    Quit { align: center middle; background: $background 60%; }
    Quit > Vertical {
        width: 66; height: auto; border: round $accent; border-title-color: $accent;
        background: $surface; padding: 1 2;
    }
    Quit Static { height: auto; }
    """
    BINDINGS = [
        Binding("s", "answer('stop')", "Stop", id="quit-stop"),
        Binding("d", "answer('detach')", "Detach", id="quit-detach"),
        Binding("escape,q,n", "answer('stay')", "Stay", id="quit-stay"),
    ]

    def __init__(self, *, human: bool, can_stop: bool, stopped: bool = False) -> None:
        super().__init__()
        self._human, self._can_stop, self._stopped = human, can_stop, stopped

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "leave the console"
        with box:
            yield Static(self._text())

    def _text(self) -> str:
        lines = []
        if self._can_stop and self._stopped:
            lines.append("[b]s[/b]    stop the run and quit: the arm stays here, torque ON")
            lines.append(f"      to park it, stay and clear the stop first: {hint('clear-stop')}, then y")
        elif self._can_stop:
            lines.append("[b]s[/b]    stop the run and quit: the arm parks, data is saved")
        if self._can_stop:
            lines.append("[b]d[/b]    detach: the run goes on, come back with attach")
        else:
            lines.append("[b]d[/b]    leave the recording")
        lines.append("[b]esc[/b]  stay here")
        if self._human:
            lines.append("\n[$accent]▲ you have the arm: leaving gives it back[/]")
        return "\n".join(lines)

    def action_answer(self, answer: str) -> None:
        if answer == "stop" and not self._can_stop:
            answer = "detach"
        self.dismiss(answer)
