"""Region of interest: rectangles of picture pixels, and which of them lie under the terminal's cells. Pure.

A cell shows two pixels of the screen, one above the other (`panes.halfblock`); how many pixels of the picture
a pixel of the screen covers depends on the size of the pane and on the zoom. Rows and columns count from the
top left, and a rectangle (top, left, height, width) ends before top + height and left + width.
"""

from dataclasses import dataclass
from typing import NamedTuple

SMALLEST = 8
"""Pixels that a side of a crop has at least, as in `env.processor.image_preprocessing.crop_params_dict`."""
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)


class Rect(NamedTuple):
    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width

    def joined(self, other: "Rect") -> "Rect":
        """The smallest rectangle that holds both."""
        top, left = min(self.top, other.top), min(self.left, other.left)
        return Rect(top, left, max(self.bottom, other.bottom) - top, max(self.right, other.right) - left)


class Size(NamedTuple):
    """Of a picture, in pixels."""

    height: int
    width: int

    @property
    def whole(self) -> Rect:
        return Rect(0, 0, self.height, self.width)


# --- along one side -------------------------------------------------------------------------------------


def _clamped(low: int, length: int, limit: int) -> tuple[int, int]:
    """A span inside [0, limit): shortened where it must be, then moved as little as possible."""
    length = max(min(SMALLEST, limit), min(length, limit))
    return min(max(0, low), limit - length), length


def _pulled(fixed: int, backwards: bool, length: int, limit: int) -> tuple[int, int]:
    """A span of `length` that begins (or, `backwards`, ends) at `fixed`."""
    return _clamped(fixed - length if backwards else fixed, length, limit)


# --- rectangles -----------------------------------------------------------------------------------------


def inside(rect: Rect, picture: Size) -> Rect:
    """`rect` brought into the picture, its sides of SMALLEST pixels at least."""
    top, height = _clamped(rect.top, rect.height, picture.height)
    left, width = _clamped(rect.left, rect.width, picture.width)
    return Rect(top, left, height, width)


def dragged(anchor: Rect, pointer: Rect, picture: Size, square: bool = False) -> Rect:
    """The box from the pixels where a drag began to those where it is now, in any direction.

    A square one is as large as the longer side of the drag, as far as there is picture on that side of `anchor`.
    """
    box = anchor.joined(pointer)
    upwards, leftwards = pointer.top < anchor.top, pointer.left < anchor.left
    fixed_row = anchor.bottom if upwards else anchor.top
    fixed_column = anchor.right if leftwards else anchor.left
    height, width = max(SMALLEST, box.height), max(SMALLEST, box.width)
    if square:
        room_rows = fixed_row if upwards else picture.height - fixed_row
        room_columns = fixed_column if leftwards else picture.width - fixed_column
        height = width = max(SMALLEST, min(max(height, width), room_rows, room_columns))
    top, height = _pulled(fixed_row, upwards, height, picture.height)
    left, width = _pulled(fixed_column, leftwards, width, picture.width)
    return Rect(top, left, height, width)


def moved(rect: Rect, down: int, right: int, picture: Size) -> Rect:
    """The same size, as far as the picture goes."""
    top = min(max(0, rect.top + down), max(0, picture.height - rect.height))
    left = min(max(0, rect.left + right), max(0, picture.width - rect.width))
    return Rect(top, left, rect.height, rect.width)


def sized(rect: Rect, taller: int, wider: int, picture: Size, square: bool = False) -> Rect:
    """The lower right corner moved; the upper left one stays. A square one grows by both alike."""
    height, width = rect.height + taller, rect.width + wider
    room_rows, room_columns = picture.height - rect.top, picture.width - rect.left
    if square:
        height = width = min(min(rect.height, rect.width) + (taller or wider), room_rows, room_columns)
    return Rect(
        rect.top,
        rect.left,
        max(min(SMALLEST, room_rows), min(height, room_rows)),
        max(min(SMALLEST, room_columns), min(width, room_columns)),
    )


def squared(rect: Rect, picture: Size) -> Rect:
    """A square about the same centre: as large as the longer side where the picture has room for it."""
    side = min(max(rect.height, rect.width), picture.height, picture.width)
    top = rect.top + (rect.height - side) // 2
    left = rect.left + (rect.width - side) // 2
    return inside(Rect(top, left, side, side), picture)


def zoomed(picture: Size, zoom: float, row: int, column: int) -> Rect:
    """The part of the picture that is seen at `zoom`, about a pixel, in the picture's own aspect."""
    height = max(SMALLEST, round(picture.height / zoom))
    width = max(SMALLEST, round(picture.width / zoom))
    return inside(Rect(row - height // 2, column - width // 2, height, width), picture)


# --- the screen -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Canvas:
    """A part of the picture spread over `wide` x `high` cells."""

    part: Rect
    wide: int
    high: int

    def under(self, x: float, y: float, fine: bool) -> Rect:
        """The pixels of the picture under the pointer at (x, y) cells; the nearest ones where it is outside.

        `fine`: the terminal tells fractions of a cell, and one pixel is meant; else all that the cell shows.
        """
        if fine:
            row = min(max(0.0, y / self.high), 1.0) * self.part.height
            column = min(max(0.0, x / self.wide), 1.0) * self.part.width
            top = min(int(row), self.part.height - 1)
            left = min(int(column), self.part.width - 1)
            return Rect(self.part.top + top, self.part.left + left, 1, 1)
        row_of_cells = min(max(0, int(y)), self.high - 1)
        column_of_cells = min(max(0, int(x)), self.wide - 1)
        top, bottom = _span(row_of_cells, self.high, self.part.height)
        left, right = _span(column_of_cells, self.wide, self.part.width)
        return Rect(self.part.top + top, self.part.left + left, bottom - top, right - left)

    def shown(self, rect: Rect) -> Rect:
        """Where `rect` is on the screen, in half cells: rows of half a cell's height; may lie outside of it.

        Every half cell that shows one of its pixels belongs to it.
        """
        rows, columns = 2 * self.high, self.wide
        top = (rect.top - self.part.top) * rows // self.part.height
        left = (rect.left - self.part.left) * columns // self.part.width
        bottom = -(-(rect.bottom - self.part.top) * rows // self.part.height)
        right = -(-(rect.right - self.part.left) * columns // self.part.width)
        return Rect(top, left, bottom - top, right - left)


def _span(index: int, count: int, pixels: int) -> tuple[int, int]:
    """First and end of the pixels that the index-th of `count` equal shares covers; at least one."""
    first = index * pixels // count
    return first, max(first + 1, (index + 1) * pixels // count)
