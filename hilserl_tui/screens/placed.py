"""Screens of a running job: panes at the places an arrangement gives them, and the cameras alone on a key."""

from abc import abstractmethod
from collections.abc import Collection, Iterable

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region

from hilserl_tui.panes.cameras import Camera
from hilserl_tui.panes.lines import Lines
from hilserl_tui.screens.arrange import CAMERAS, CLASSIFIER, LINK, cameras_alone, is_compact
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import View


class PlacedScreen(ConsoleScreen):
    """Panes have ids, by which the arrangement names them; `c` gives the cameras the whole screen."""

    DEFAULT_CSS = """
    PlacedScreen .pane {
        position: absolute;
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint; padding: 0 1;
        border-title-style: bold;
    }
    PlacedScreen Camera.pane { padding: 0; }
    PlacedScreen.-compact Lines.pane { border: none; border-top: solid $edge; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.only_cameras = False
        self._also: frozenset[str] = frozenset()

    @abstractmethod
    def panes(self) -> Iterable[tuple[str, Lines]]:
        """Every pane but the cameras, with its id."""

    @abstractmethod
    def places(self, width: int, height: int, pushed: int, also: Collection[str]) -> dict[str, Region]:
        """Where each pane lies; `pushed` rows belong to a state bar that grew, `also` are panes of such a run."""

    def body(self) -> ComposeResult:
        for name, pane in self.panes():
            pane.id = name
            pane.add_class("pane")
            yield pane
        for index in range(CAMERAS):
            camera = Camera(index, id=f"camera{index}")
            camera.add_class("pane")
            yield camera

    def on_mount(self) -> None:
        self._place(self.size.width, self.size.height)

    def on_resize(self, event: events.Resize) -> None:
        self._place(event.size.width, event.size.height)

    def toggle_cameras(self) -> None:
        self.only_cameras = not self.only_cameras
        self._place(self.size.width, self.size.height)

    def picture_size(self) -> tuple[int, int]:
        """Pixels a preview may have here, (0, 0) while no camera is shown."""
        return next((camera.picture_size() for camera in self._cameras() if camera.display), (0, 0))

    def show(self, view: View) -> None:
        # The bar grows while stopped and the panes move down with it.
        if self.has_class("-stopped") != (view.stopped and not view.stale):
            self.set_class(view.stopped and not view.stale, "-stopped")
            self._place(self.size.width, self.size.height)
        has = {LINK: view.state.link, CLASSIFIER: view.state.classifier}
        also = frozenset(name for name, there in has.items() if there is not None)
        if self._also != also:
            self._also = also
            self._place(self.size.width, self.size.height)
        super().show(view)

    def show_cameras(self, view: View) -> None:
        for camera in self._cameras():
            if camera.display:
                camera.show(view)

    # Panes lie directly on the screen: to query for them, ten times a second, would cost more than what they draw.

    def text_panes(self) -> Iterable[Lines]:
        return [pane for pane in self.children if isinstance(pane, Lines)]

    def _cameras(self) -> list[Camera]:
        return [pane for pane in self.children if isinstance(pane, Camera)]

    def _place(self, width: int, height: int) -> None:
        self.set_class(is_compact(width, height), "-compact")
        pushed = 2 if self.has_class("-stopped") else 0
        if self.only_cameras:
            places = cameras_alone(width, height, pushed)
        else:
            places = self.places(width, height, pushed, self._also)
        self.put(places)
