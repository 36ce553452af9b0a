"""PixelPane: the base of every pane that shows a picture, centred, repainting only the cells that changed."""

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from hilserl_tui.pace import Turn
from hilserl_tui.panes import halfblock
from hilserl_tui.panes.surface import Surface
from hilserl_tui.theme import STYLES


class PixelPane(Surface):
    """Shows cells of two pixels each; `offset_of_picture` is where they begin in the pane."""

    turn = Turn.PICTURE

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._cells: list[list[halfblock.Cell]] = []
        self._strips: list[Strip] = []
        self.offset_of_picture = (0, 0)

    def paint(self, cells: list[list[halfblock.Cell]]) -> None:
        """Show `cells`, row by row; at most as many as the pane has."""
        width, height = self.content_size
        high, wide = len(cells), len(cells[0])
        offset = (width - wide) // 2, (height - high) // 2
        moved = offset != self.offset_of_picture or len(self._strips) != height
        self._cells, spans = halfblock.settle([] if moved else self._cells, cells)
        if moved:
            blank = Strip([Segment(" " * width, STYLES["text"])], width)
            self._strips = [blank] * height
            self.offset_of_picture = offset
        for y in spans:
            self._strips[offset[1] + y] = self._strip(self._cells[y], width, offset[0])
        if moved:
            self.refresh()
        elif spans:
            left, top = offset
            self.refresh(*(Region(left + a, top + y, b - a, 1) for y, (a, b) in spans.items()))

    def blank(self, text: str) -> None:
        """No picture, and why."""
        width, height = self.content_size
        if not width or not height:
            return
        self._cells = []
        middle = height // 2
        line = text.center(width)[:width]
        self._strips = [
            Strip([Segment(line if y == middle else " " * width, STYLES["faint"])], width)
            for y in range(height)
        ]
        self.refresh()

    def forget(self) -> None:
        """Paint everything anew the next time: the pane has another size."""
        self._strips, self._cells = [], []

    def _strip(self, row: list[halfblock.Cell], width: int, left: int) -> Strip:
        right = width - left - len(row)
        segments = [Segment(" " * left, STYLES["text"])] if left else []
        segments += halfblock.segments(row)
        if right > 0:
            segments.append(Segment(" " * right, STYLES["text"]))
        return Strip(segments, width)

    def render_line(self, y: int) -> Strip:
        if y < len(self._strips):
            return self._strips[y].apply_style(self.ground)
        return Strip.blank(self.content_size.width, self.ground)
