"""Camera: one picture in half blocks, repainted where it changed."""

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from hilserl_tui.panes import halfblock
from hilserl_tui.theme import STYLES
from hilserl_tui.view import View
from workers.model.events import FramePreview

DIMMED = 0.35  # brightness of a picture that may be old


class Camera(Widget):
    """Shows `camera`, the index-th of the run, centred, at its own aspect."""

    def __init__(self, index: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._index = index
        self._view: View | None = None
        self._frame: FramePreview | None = None
        self._dimmed = False
        self._cells: list[list[halfblock.Cell]] = []
        self._strips: list[Strip] = []
        self._offset = (0, 0)
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
        width, height = self.content_size
        if not width or not height:
            return
        self._frame, self._cells = None, []
        middle = height // 2
        line = text.center(width)[:width]
        self._strips = [
            Strip([Segment(line if y == middle else " " * width, STYLES["faint"])], width)
            for y in range(height)
        ]
        self.refresh()

    def _draw(self, frame: FramePreview) -> None:
        width, height = self.content_size
        wide, high = halfblock.fit_inside(frame.width, frame.height, width, height)
        if not wide or len(frame.rgb) < frame.width * frame.height * 3:
            return
        light = DIMMED if self._dimmed else 1.0
        new = halfblock.cells(frame.rgb, frame.width, frame.height, wide, high, light)
        offset = (width - wide) // 2, (height - high) // 2
        moved = offset != self._offset or len(self._strips) != height
        self._cells, spans = halfblock.settle([] if moved else self._cells, new)
        if moved:
            blank = Strip([Segment(" " * width, STYLES["text"])], width)
            self._strips = [blank] * height
            self._offset = offset
        for y in spans:
            self._strips[offset[1] + y] = self._strip(self._cells[y], width, offset[0])
        if moved:
            self.refresh()
        elif spans:
            left, top = offset
            self.refresh(*(Region(left + a, top + y, b - a, 1) for y, (a, b) in spans.items()))

    def _strip(self, row: list[halfblock.Cell], width: int, left: int) -> Strip:
        right = width - left - len(row)
        segments = [Segment(" " * left, STYLES["text"])] if left else []
        segments += halfblock.segments(row)
        if right > 0:
            segments.append(Segment(" " * right, STYLES["text"]))
        return Strip(segments, width)

    def render_line(self, y: int) -> Strip:
        if y < len(self._strips):
            return self._strips[y].apply_style(self.rich_style)
        return Strip.blank(self.content_size.width, self.rich_style)

    def on_resize(self, event: events.Resize) -> None:
        frame, self._frame, self._strips, self._cells = self._frame, None, [], []
        if self._view is not None:
            self.show(self._view)
        elif frame is not None:
            self._draw(frame)
