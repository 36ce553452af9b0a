import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hilserl_tui.panes import draw, halfblock
from hilserl_tui.panes.braille import Canvas
from hilserl_tui.panes.ee_bounds import EndEffector, side_view, top_view
from hilserl_tui.panes.rewards import cell
from hilserl_tui.screens.arrange import arrange, arrange_record, cameras_alone
from hilserl_tui.view import Link, View
from tests.console.demo import OPENED, training
from workers.model.events import ArmMoved, EndedBy, EpisodeKind, GateMode
from workers.model.reduce import reduce
from workers.model.state import Episode

SPACE = (OPENED.ee_min_m, OPENED.ee_max_m)


def test_a_dot_is_the_braille_bit_of_its_place():
    canvas = Canvas(1, 1)
    canvas.dot(0, 0, "blue")
    assert canvas.row(0) == (("⠁", "blue"),)
    canvas.dot(1, 3, "green")
    assert canvas.row(0) == (("⢁", "green"),)


def test_a_dot_outside_the_canvas_is_left_out():
    canvas = Canvas(2, 1)
    for x, y in ((-1, 0), (4, 0), (0, 4), (0, -1)):
        canvas.dot(x, y, "blue")
    assert canvas.row(0) == (("  ", "faint"),)


def test_a_rising_curve_ends_in_the_top_row():
    canvas = Canvas(10, 4)
    assert canvas.curve([0.0, 0.2, 1.0], "blue") == 0
    assert canvas.row(3)[0][0].startswith("⣀") or canvas.row(3)[0][0][0] != " "


@given(st.text(max_size=60), st.integers(0, 40))
def test_a_fitted_row_has_exactly_its_width_and_no_control_character(text, width):
    row = draw.fit(((text, "text"),), width)
    assert sum(cell_len(part) for part, _ in row) == width
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for part, _ in row for char in part)


@given(st.floats(-1, 2), st.integers(4, 60))
def test_bars_and_gauges_keep_their_width(share, width):
    assert draw.row_width(draw.bar(share, width, "blue")) == width
    assert draw.row_width(draw.gauge(share, 0.0, 1.0, width, "blue")) == width


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1.0k"), (38_412, "38.4k"), (1_200_000, "1.2M")]
)
def test_counts_fit_five_cells(number, text):
    assert draw.count(number) == text


def test_a_picture_keeps_its_aspect():
    assert halfblock.fit_inside(128, 128, 60, 20) == (40, 20)
    assert halfblock.fit_inside(640, 480, 40, 40) == (40, 15)
    assert halfblock.fit_inside(128, 128, 0, 10) == (0, 0)


def test_a_cell_shows_two_pixels_one_above_the_other():
    rgb = bytes([255, 0, 0] * 2 + [0, 0, 255] * 2)
    ((left, right),) = halfblock.cells(rgb, 2, 2, 2, 1)
    assert left == right == ((255, 0, 0), (0, 0, 255))


def test_sensor_noise_repaints_nothing_and_a_move_repaints_its_span():
    still = [[((100, 100, 100), (100, 100, 100))] * 8 for _ in range(2)]
    noisy = [[((103, 98, 105), (95, 100, 104))] * 8 for _ in range(2)]
    assert halfblock.settle(still, noisy) == (still, {})
    moved = [list(row) for row in noisy]
    moved[1][3] = ((200, 0, 0), (0, 0, 0))
    shown, spans = halfblock.settle(still, moved)
    assert spans == {1: (3, 4)}
    assert shown[1][3] == ((200, 0, 0), (0, 0, 0))
    assert shown[0] == still[0]


def test_equal_neighbours_share_a_segment():
    row = [((0, 0, 0), (8, 8, 8))] * 5 + [((255, 255, 255), (0, 0, 0))]
    assert [segment.text for segment in halfblock.segments(row)] == ["▀▀▀▀▀", "▀"]


def test_the_views_point_where_the_arrow_keys_point():
    middle = (0.25, 0.0, 0.145)
    across, down = top_view(middle, *SPACE)
    assert top_view((0.30, 0.0, 0.1), *SPACE)[1] < down  # forward is up
    assert top_view((0.25, 0.1, 0.1), *SPACE)[0] < across  # +y is left
    across, down = side_view(middle, *SPACE)
    assert side_view((0.30, 0.0, 0.145), *SPACE)[0] > across
    assert side_view((0.25, 0.0, 0.2), *SPACE)[1] < down


def test_an_episode_a_human_helped_is_underlined():
    def episode(by_human: int, ended: EndedBy) -> Episode:
        return Episode(1, EpisodeKind.TRAINING, 1.0, 60, by_human, 1, ended, 6.0, 2)

    assert cell(episode(0, EndedBy.SUCCESS)) == ("●", "green")
    assert cell(episode(9, EndedBy.SUCCESS)) == ("●", "green_helped")
    assert cell(episode(0, EndedBy.TIME_LIMIT)) == ("○", "red")


def pictures_alone(width: int, height: int, *, pushed: int):
    return cameras_alone(width, height, pushed)


@given(
    st.integers(80, 260),
    st.integers(24, 90),
    st.sampled_from([0, 2]),
    st.sampled_from([arrange, arrange_record, pictures_alone]),
)
def test_panes_never_overlap_and_never_leave_the_screen(width, height, pushed, arranged):
    places = list(arranged(width, height, pushed=pushed).values())
    for i, place in enumerate(places):
        assert place.x >= 0
        assert place.y >= 2 + pushed
        assert place.right <= width
        assert place.bottom <= height - 1
        assert all(not place.overlaps(other) for other in places[i + 1 :])


def test_everything_but_the_pictures_is_on_80x24_and_all_of_it_on_120x40():
    small, large = set(arrange(80, 24)), set(arrange(120, 40))
    assert large - small == {"camera0", "camera1"}
    assert small == {"arm", "intervention", "buffer", "rewards", "learner", "health", "log"}


@pytest.mark.parametrize(
    ("below_m", "words"), [(0.03, "outside the bounds: z"), (0.001, "inside all limits")]
)
def test_a_tool_outside_the_bounds_is_said_to_be_there_also_while_nothing_is_limited(below_m, words):
    low, high = OPENED.ee_min_m, OPENED.ee_max_m
    where = (0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2] - below_m)
    state = reduce(training(), ArmMoved(where, 10.0, GateMode.HOLD, at_s=200.0))
    rows = EndEffector().rows(View(state, Link.UP, 200.0), 50, 20)
    assert "".join(text for text, _ in rows[-1]) == words
