"""A field in which a crop or a size is typed."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hilserl_tui.crop_choice import Choice
from hilserl_tui.roi import Rect
from workers.config.crops import NoCrop, check_crop, parse_crop, parse_size

ASK = "top, left, height, width in pixels; or height x width of the policy's picture, like 64x64"


class CropNumbers(ModalScreen[Choice]):
    """Returns the choice with what was typed."""

    DEFAULT_CSS = """
    CropNumbers { align: center middle; background: $background 60%; }
    CropNumbers > Vertical {
        width: 64; max-width: 100%; height: auto; border: round $accent; border-title-color: $accent;
        background: $surface; padding: 1 2;
    }
    CropNumbers Static { height: auto; }
    CropNumbers Input { border: none; background: $panel; margin: 1 0 0 0; }
    """
    BINDINGS = [Binding("escape", "dismiss", "Close", id="crop-numbers-close")]

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self._choice = choice

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = f"type a crop of {self._choice.camera}, or a size"
        box.border_subtitle = "enter takes it, esc closes"
        with box:
            yield Static(ASK, markup=False)
            yield Input(", ".join(map(str, self._choice.crop or ())))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(typed(self._choice, event.value))
        except NoCrop as wrong:
            self.query_one(Static).update(Content(f"{wrong}\n\n{ASK}"))


def typed(choice: Choice, text: str) -> Choice:
    """The choice with a typed crop or size. Raises NoCrop."""
    if "x" in text.lower():
        size = parse_size(text)
        if any(side % 2 or not 32 <= side <= 512 for side in size):
            raise NoCrop(f"{size[0]}x{size[1]}: both must be even, and 32 to 512")
        return replace(choice, size=size)
    crop, picture = parse_crop(text), choice.picture
    if picture is not None:
        check_crop(choice.camera, crop, picture)
    return replace(choice.chosen(Rect(*crop)), square=choice.square and crop[2] == crop[3])
