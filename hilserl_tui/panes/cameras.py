"""Camera: one picture in half blocks, repainted where it changed."""

from textual import events

from hilserl_tui.panes import halfblock
from hilserl_tui.panes.pixels import PixelPane
from hilserl_tui.view import View
from workers.model.events import FramePreview

DIMMED = 0.35  # brightness of a picture that may be old


class Camera(PixelPane):
    """Shows `camera`, the index-th of the run, centred, at its own aspect."""

    def __init__(self, index: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._index = index
        self._view: View | None = None
        self._frame: FramePreview | None = None
        self._dimmed = False
        self.border_title = "camera"

    def show(self, view: View) -> None:
        self._view = view
        run = view.state.run
        name = run.cameras[self._index] if run and self._index < len(run.cameras) else ""
        frame = view.state.frames.get(name)
        rate = view.state.rates.get(f"camera-{name}")
        title = name or "camera"
        if self.border_title != title:
            self.border_title = title
        subtitle = f"{rate.hz:.0f} Hz" if rate else ""
        if (self.border_subtitle or "") != subtitle:
            self.border_subtitle = subtitle or None
        if run is not None and not run.previews:
            self._blank("off: display_cameras = false")
        elif frame is None:
            self._blank(f"no picture from {name} yet" if name else "no camera")
        elif frame is not self._frame or view.stale != self._dimmed:
            self._frame, self._dimmed = frame, view.stale
            self._draw(frame)

    def picture_size(self) -> tuple[int, int]:
        """Pixels (width, height) that a square picture could use here."""
        side = min(self.content_size.width, self.content_size.height * 2)
        return side, side

    def _blank(self, text: str) -> None:
        if self._frame is None and self._strips:
            return
        self._frame = None
        self.blank(text)

    def _draw(self, frame: FramePreview) -> None:
        wide, high = halfblock.fit_inside(frame.width, frame.height, *self.content_size)
        if not wide or len(frame.rgb) < frame.width * frame.height * 3:
            return
        light = DIMMED if self._dimmed else 1.0
        self.paint(halfblock.cells(frame.rgb, frame.width, frame.height, wide, high, light))

    def on_resize(self, event: events.Resize) -> None:
        frame, self._frame = self._frame, None
        self.forget()
        if self._view is not None:
            self.show(self._view)
        elif frame is not None:
            self._draw(frame)
