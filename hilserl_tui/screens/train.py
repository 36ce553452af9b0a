"""Train: where people live. Arm, cameras, episodes, learning, workers and log on one screen."""

from textual import events
from textual.app import ComposeResult

from hilserl_tui.panes.buffer import Buffer
from hilserl_tui.panes.cameras import Camera
from hilserl_tui.panes.ee_bounds import EndEffector
from hilserl_tui.panes.health import Health
from hilserl_tui.panes.intervention import Intervention
from hilserl_tui.panes.learner import LearnerPane
from hilserl_tui.panes.link import LinkPane
from hilserl_tui.panes.log import LogPane
from hilserl_tui.panes.rewards import Rewards
from hilserl_tui.screens.arrange import CAMERAS, arrange, is_compact
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import View


class Train(ConsoleScreen):
    """Panes at the places `arrange` gives them; `c` gives the cameras the whole screen."""

    name_in_view = "train"
    DEFAULT_CSS = """
    Train .pane {
        position: absolute;
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint; padding: 0 1;
        border-title-style: bold;
    }
    Train Camera.pane { padding: 0; }
    Train.-compact Lines.pane { border: none; border-top: solid $edge; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.only_cameras = False
        self._linked = False

    def body(self) -> ComposeResult:
        panes = [
            EndEffector(),
            Rewards(),
            Intervention(),
            Buffer(),
            Health(),
            LearnerPane(),
            LinkPane(),
            LogPane(),
        ]
        names = ("arm", "rewards", "intervention", "buffer", "health", "learner", "link", "log")
        for name, pane in zip(names, panes, strict=True):
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
        return next((camera.picture_size() for camera in self.query(Camera) if camera.display), (0, 0))

    def show(self, view: View) -> None:
        # The bar grows while stopped and the panes move down with it.
        if self.has_class("-stopped") != (view.stopped and not view.stale):
            self.set_class(view.stopped and not view.stale, "-stopped")
            self._place(self.size.width, self.size.height)
        if self._linked != (view.state.link is not None):
            self._linked = not self._linked
            self._place(self.size.width, self.size.height)
        super().show(view)

    def show_cameras(self, view: View) -> None:
        for camera in self.query(Camera):
            if camera.display:
                camera.show(view)

    def _place(self, width: int, height: int) -> None:
        self.set_class(is_compact(width, height), "-compact")
        pushed = 2 if self.has_class("-stopped") else 0
        places = arrange(width, height, pushed=pushed, only_cameras=self.only_cameras, linked=self._linked)
        for pane in self.query(".pane"):
            place = places.get(pane.id or "")
            pane.display = place is not None
            if place is not None:
                pane.styles.offset = (place.x, place.y)
                pane.styles.width, pane.styles.height = place.width, place.height
