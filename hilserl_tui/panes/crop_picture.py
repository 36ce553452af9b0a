"""The Crop screen's two pictures: the camera's with the crop in it, and what the policy sees of it."""

from rich.color import Color
from textual import events
from textual.message import Message

from hilserl_tui.panes import halfblock
from hilserl_tui.panes.halfblock import Cell, Pixel
from hilserl_tui.panes.pixels import PixelPane
from hilserl_tui.roi import Canvas, Rect
from hilserl_tui.theme import DARK
from workers.model.events import Pixels

OUTSIDE = 0.4  # brightness of what the policy does not see
_AMBER = Color.parse(DARK.amber).get_truecolor()
BORDER: Pixel = (_AMBER.red, _AMBER.green, _AMBER.blue)
MOVE_BUTTON = 3


def pane_cells(pixels: Pixels, width: int, height: int) -> list[list[Cell]]:
    """The picture in its own aspect, as large as the pane; [] where there is no room or no picture."""
    wide, high = halfblock.fit_inside(pixels.width, pixels.height, width, height)
    if not wide or len(pixels.rgb) < pixels.width * pixels.height * 3:
        return []
    return halfblock.cells(pixels.rgb, pixels.width, pixels.height, wide, high)


def with_box(cells: list[list[Cell]], box: Rect) -> list[list[Cell]]:
    """`cells` with a line around `box` (in half cells), and darker outside; the line covers nothing that is inside.

    Where the box reaches the edge of what is shown, there is no line.
    """

    def half(pixel: Pixel, row: int, column: int) -> Pixel:
        if box.top <= row < box.bottom and box.left <= column < box.right:
            return pixel
        if box.top - 1 <= row <= box.bottom and box.left - 1 <= column <= box.right:
            return BORDER
        return int(pixel[0] * OUTSIDE), int(pixel[1] * OUTSIDE), int(pixel[2] * OUTSIDE)

    return [
        [(half(upper, 2 * y, x), half(lower, 2 * y + 1, x)) for x, (upper, lower) in enumerate(row)]
        for y, row in enumerate(cells)
    ]


class PolicyPicture(PixelPane):
    """What the policy sees."""

    def show_pixels(self, pixels: Pixels) -> None:
        cells = pane_cells(pixels, *self.content_size)
        if cells:
            self.paint(cells)

    def on_resize(self, event: events.Resize) -> None:
        self.forget()


class CropPicture(PixelPane):
    """The camera's picture; tells what the mouse does to it, in pixels of the picture."""

    class Dragged(Message):
        """The mouse went from the pixels `begin` to `end` with a button down.

        `by_move`: it moves the crop. `last`: the button is up again.
        """

        def __init__(self, begin: Rect, end: Rect, by_move: bool, last: bool) -> None:
            super().__init__()
            self.begin, self.end, self.by_move, self.last = begin, end, by_move, last

    class Zoomed(Message):
        """The wheel turned over a pixel."""

        def __init__(self, by: int, row: int, column: int) -> None:
            super().__init__()
            self.by, self.row, self.column = by, row, column

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.canvas: Canvas | None = None
        self._fine = False
        self._begin: Rect | None = None
        self._by_move = self._dragging = False

    def show_crop(self, pixels: Pixels, part: Rect, crop: Rect) -> None:
        """`pixels` show `part` of the picture."""
        cells = pane_cells(pixels, *self.content_size)
        if cells:
            self.canvas = Canvas(part, len(cells[0]), len(cells))
            self.paint(with_box(cells, self.canvas.shown(crop)))

    def on_resize(self, event: events.Resize) -> None:
        self.canvas = None
        self.forget()

    # --- the mouse --------------------------------------------------------------------------------------

    def _under(self, event: events.MouseEvent) -> Rect | None:
        if self.canvas is None:
            return None
        left, top = self.offset_of_picture
        x = event.pointer_screen_x - self.content_region.x - left
        y = event.pointer_screen_y - self.content_region.y - top
        # A terminal that counts in pixels says so with its first fraction, and goes on so.
        self._fine = self._fine or x != int(x) or y != int(y)
        return self.canvas.under(x, y, self._fine)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button in (1, MOVE_BUTTON) and (under := self._under(event)) is not None:
            self._begin, self._by_move = under, event.button == MOVE_BUTTON
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._drag(event, last=False)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._drag(event, last=True)
        self._begin = None
        self.release_mouse()

    def _drag(self, event: events.MouseEvent, last: bool) -> None:
        """A press and a release on one place is no drag: a click changes nothing."""
        under = self._under(event)
        if self._begin is None or under is None:
            return
        self._dragging = self._dragging or under != self._begin
        if self._dragging:
            self.post_message(self.Dragged(self._begin, under, self._by_move, last))
        self._dragging = self._dragging and not last

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn(event, -1)

    def _turn(self, event: events.MouseEvent, by: int) -> None:
        under = self._under(event)
        if under is not None:
            middle = under.top + under.height // 2, under.left + under.width // 2
            self.post_message(self.Zoomed(by, *middle))
