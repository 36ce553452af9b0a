"""Rectangles of the Crop screen: always in the picture, whatever is dragged, pressed or zoomed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hilserl_tui.roi import (
    SMALLEST,
    ZOOMS,
    Canvas,
    Rect,
    Size,
    dragged,
    inside,
    moved,
    sized,
    squared,
    zoomed,
)

PICTURE = Size(480, 640)
pictures = st.builds(Size, st.integers(32, 1200), st.integers(32, 2000))


@st.composite
def picture_and_rects(draw, count: int = 1):
    """A picture and rectangles in it, as the screen has them."""
    picture = draw(pictures)
    rects = []
    for _ in range(count):
        height = draw(st.integers(SMALLEST, picture.height))
        width = draw(st.integers(SMALLEST, picture.width))
        top = draw(st.integers(0, picture.height - height))
        left = draw(st.integers(0, picture.width - width))
        rects.append(Rect(top, left, height, width))
    return picture, *rects


@st.composite
def canvases(draw):
    picture, part = draw(picture_and_rects())
    return picture, Canvas(part, draw(st.integers(1, 200)), draw(st.integers(1, 80)))


def within(rect: Rect, picture: Size) -> bool:
    return (
        rect.top >= 0
        and rect.left >= 0
        and rect.bottom <= picture.height
        and rect.right <= picture.width
        and rect.height >= SMALLEST
        and rect.width >= SMALLEST
    )


points = st.tuples(st.floats(-50, 250), st.floats(-50, 250))


@given(canvases(), points, points, st.booleans(), st.booleans())
def test_a_drag_in_any_direction_and_out_of_the_pane_gives_a_box_in_the_picture(
    made, begin, end, fine, square
):
    picture, canvas = made
    anchor, pointer = canvas.under(*begin, fine), canvas.under(*end, fine)
    box = dragged(anchor, pointer, picture, square)
    assert within(box, picture)
    if not square:
        assert box.joined(anchor) == box and box.joined(pointer) == box, "what was dragged over is in it"


@given(canvases(), points, points)
def test_a_locked_drag_is_square_and_begins_where_the_button_went_down(made, begin, end):
    picture, canvas = made
    anchor, pointer = canvas.under(*begin, True), canvas.under(*end, True)
    box = dragged(anchor, pointer, picture, square=True)
    assert box.height == box.width
    assert box.joined(anchor) == box


@given(picture_and_rects(), st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_moving_keeps_the_size_and_stays_in_the_picture(made, down, right):
    picture, rect = made
    there = moved(rect, down, right, picture)
    assert within(there, picture)
    assert (there.height, there.width) == (rect.height, rect.width)


@given(picture_and_rects(), st.integers(-5, 5), st.integers(-5, 5))
def test_a_move_with_room_for_it_is_exact_to_the_pixel_and_can_be_taken_back(made, down, right):
    picture, rect = made
    if within(rect._replace(top=rect.top + down, left=rect.left + right), picture):
        there = moved(rect, down, right, picture)
        assert (there.top - rect.top, there.left - rect.left) == (down, right)
        assert moved(there, -down, -right, picture) == rect


@given(picture_and_rects(), st.integers(-3000, 3000), st.integers(-3000, 3000), st.booleans())
def test_sizing_keeps_the_upper_left_corner(made, taller, wider, square):
    picture, rect = made
    there = sized(rect, taller, wider, picture, square)
    assert within(there, picture)
    assert (there.top, there.left) == (rect.top, rect.left)
    if square:
        assert there.height == there.width


@given(picture_and_rects())
def test_squaring_keeps_the_centre_where_there_is_room(made):
    picture, rect = made
    box = squared(rect, picture)
    assert within(box, picture) and box.height == box.width
    free = rect.top + (rect.height - box.height) // 2, rect.left + (rect.width - box.width) // 2
    if within(box._replace(top=free[0], left=free[1]), picture):
        assert (box.top, box.left) == free


@given(pictures, st.tuples(*[st.integers(-3000, 3000)] * 4))
def test_any_rectangle_is_brought_into_the_picture(picture, four):
    assert within(inside(Rect(*four), picture), picture)


@given(picture_and_rects())
def test_a_rectangle_that_is_in_the_picture_stays_as_it_is(made):
    picture, rect = made
    assert inside(rect, picture) == rect


@given(pictures, st.sampled_from(ZOOMS), st.integers(-10, 3000), st.integers(-10, 3000))
def test_what_is_seen_at_a_zoom_is_a_part_of_the_picture(picture, zoom, row, column):
    part = zoomed(picture, zoom, row, column)
    assert within(part, picture)
    if zoom == 1.0:
        assert part == picture.whole


@given(canvases())
def test_the_cells_of_a_pane_show_every_pixel_of_its_part_once(made):
    _, canvas = made
    canvas = Canvas(canvas.part, min(canvas.wide, canvas.part.width), min(canvas.high, canvas.part.height))
    rows = [canvas.under(0, y, False) for y in range(canvas.high)]
    columns = [canvas.under(x, 0, False) for x in range(canvas.wide)]
    assert rows[0].top == canvas.part.top and rows[-1].bottom == canvas.part.bottom
    assert all(a.bottom == b.top for a, b in pairwise(rows))
    assert columns[0].left == canvas.part.left and columns[-1].right == canvas.part.right
    assert all(a.right == b.left for a, b in pairwise(columns))


@given(canvases(), st.integers(0, 199), st.integers(0, 79))
def test_what_lies_under_a_cell_is_drawn_in_that_cell(made, x, y):
    _, canvas = made
    x, y = x % canvas.wide, y % canvas.high
    drawn = canvas.shown(canvas.under(x, y, False))
    assert drawn.left <= x < drawn.right
    assert drawn.top < 2 * y + 2 and drawn.bottom > 2 * y


def test_a_drag_over_an_80_cells_wide_pane_of_640x480():
    canvas = Canvas(PICTURE.whole, 80, 30)  # 8 x 16 pixels a cell
    box = dragged(canvas.under(20, 10, False), canvas.under(45, 20, False), PICTURE)
    assert box == Rect(160, 160, 176, 208)
    back = dragged(canvas.under(45, 20, False), canvas.under(20, 10, False), PICTURE)
    assert back == box
    fine = dragged(canvas.under(20.25, 10.375, True), canvas.under(45.75, 20.875, True), PICTURE)
    assert fine == Rect(166, 162, 169, 205)


def test_a_click_without_a_drag_is_the_smallest_box():
    one = Rect(470, 630, 1, 1)
    assert dragged(one, one, PICTURE) == Rect(470, 630, 8, 8)
    corner = Rect(479, 639, 1, 1)
    assert dragged(corner, corner, PICTURE) == Rect(472, 632, 8, 8)
