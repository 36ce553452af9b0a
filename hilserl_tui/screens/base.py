"""What all full screens share: bars at top and bottom, and how a View reaches the panes."""

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.geometry import Region
from textual.screen import Screen

from hilserl_tui.keymap import Group, Key
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.state_bar import StateBar
from hilserl_tui.panes.step_bar import StepBar
from hilserl_tui.view import View


class ConsoleScreen(Screen[None]):
    """State bar on top, step bar under it, key bar at the bottom, `body` between."""

    name_in_view = ""
    keys_in_help: Group | None = None
    """The keys that help lists first here."""
    own_keys: tuple[Key, ...] = ()
    """Those that only this screen has; the palette lists them while it is shown."""

    def compose(self) -> ComposeResult:
        yield StateBar()
        yield StepBar()
        yield from self.body()
        yield self.key_bar()

    def on_mount(self) -> None:
        """Stay when another screen is shown: one that Textual has taken apart and mounts again is not repainted."""
        if not self.app.is_screen_installed(self):
            self.app.install_screen(self, type(self).__name__)

    @property
    def stands(self) -> bool:
        """Whether its panes are there to be drawn: they come after the screen, and go before it as the app closes."""
        return self.is_mounted and self.is_attached and bool(self.children)

    def key_bar(self) -> KeyBar:
        """The keys that matter on this screen."""
        return KeyBar()

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def picture_size(self) -> tuple[int, int]:
        """Pixels a camera preview may have here, (0, 0) while none is shown."""
        return 0, 0

    def keeps_back(self) -> bool:
        """Whether something would be lost by leaving, which the screen has said just now."""
        return False

    def put(self, places: Mapping[str, Region]) -> None:
        """Bring every pane to its place, by its id; those that have none are not shown."""
        for pane in self.query(".pane"):
            place = places.get(pane.id or "")
            pane.display = place is not None
            if place is not None:
                pane.styles.offset = (place.x, place.y)
                pane.styles.width, pane.styles.height = place.width, place.height

    def show(self, view: View) -> None:
        """Draw `view` in every pane that is on the screen."""
        for pane in self.text_panes():
            if pane.display:
                pane.show(view)
        self.show_cameras(view)

    def text_panes(self) -> Iterable[Lines]:
        """All that there are."""
        return self.query(Lines)

    def show_cameras(self, view: View) -> None:
        """Draw only the pictures."""

    def show_state_bar(self, view: View) -> None:
        """Only what must never be late."""
        for bar in (*self.query(StateBar), *self.query(KeyBar)):
            bar.show(view)
