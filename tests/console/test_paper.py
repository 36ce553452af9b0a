"""What the terminal shows after what `Paper` wrote: read back by a terminal that knows only what is written here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from hilserl_tui import theme as themes
from hilserl_tui.paper import HALF, Paper, Pen, ink
from tests.console.small_terminal import SmallTerminal

WIDE, HIGH = 12, 3
STYLES = [
    Style(color=front, bgcolor=back, bold=bold, underline=underline)
    for front in ("#d5dde5", "#56b4e9")
    for back in ("#0f1318", "#56b4e9", None)
    for bold in (False, True)
    for underline in (False, True)
]
spans = st.tuples(st.text(f"ab {HALF}", min_size=1, max_size=6), st.sampled_from(STYLES))
rows = st.lists(spans, min_size=1, max_size=5)
drawings = st.lists(
    st.tuples(st.integers(0, HIGH - 1), st.integers(0, WIDE - 1), rows), min_size=1, max_size=6
)


def written(paper: Paper, drawing: list[tuple[int, int, list[tuple[str, Style]]]]) -> str:
    pen = Pen(ColorSystem.TRUECOLOR)
    return (
        "".join(
            paper.write(pen, x, y, [Segment(text, style) for text, style in row]) for y, x, row in drawing
        )
        + pen.lift()
    )


@given(drawings)
def test_what_is_written_bit_by_bit_looks_as_if_it_were_written_whole(drawing):
    paper, seen, whole = Paper(), SmallTerminal(), SmallTerminal()
    paper.fit(WIDE, HIGH)
    for one in drawing:
        seen.take(written(paper, [one]))
        y, x, row = one
        whole.y, whole.x = y, x
        for text, style in row:
            text = text[: WIDE - whole.x]
            for character in text:
                whole.take(style.render(character))
    assert {at: cell for at, cell in whole.cells.items() if at[1] < WIDE} == seen.cells


def paper_with(*row: tuple[str, Style], x: int = 0) -> Paper:
    paper = Paper()
    paper.fit(WIDE, HIGH)
    written(paper, [(0, x, list(row))])
    return paper


def test_what_is_there_already_is_not_written_again():
    row = [("abc", STYLES[0]), ("def", STYLES[3])]
    assert written(paper_with(*row), [(0, 0, row)]) == ""


def test_only_the_cells_that_differ_are_written():
    paper = paper_with(("step 12", STYLES[0]))
    assert written(paper, [(0, 0, [("step 13", STYLES[0])])]).count("3") > 0
    assert "step" not in written(paper, [(0, 0, [("step 14", STYLES[0])])])


def test_a_colour_that_holds_already_is_not_named_again():
    paper = Paper()
    paper.fit(WIDE, HIGH)
    same_ground = [Style(color=colour, bgcolor="#0f1318") for colour in ("#d5dde5", "#56b4e9")]
    text = written(paper, [(0, 0, [("a", same_ground[0]), ("b", same_ground[1])])])
    assert text.count("48;2;") == 1 and text.count("38;2;") == 2 and text.endswith("\x1b[0m")


def test_a_wide_character_is_never_cut():
    paper = paper_with(("漢字", STYLES[0]))
    text = written(paper, [(0, 0, [("a字b", STYLES[0])])])
    seen = SmallTerminal()
    seen.take(text)
    assert [seen.cells[0, x][0] for x in range(4)] == ["a", "字", "", "b"]


def test_after_somebody_else_wrote_everything_is_written():
    row = [("abc", STYLES[0])]
    paper = paper_with(*row)
    paper.forget()
    assert "abc" in written(paper, [(0, 0, row)])
    paper.fit(WIDE + 1, HIGH)
    assert "abc" in written(paper, [(0, 0, row)])


def test_what_lies_outside_the_screen_is_left_out():
    paper = Paper()
    paper.fit(WIDE, HIGH)
    assert written(paper, [(HIGH, 0, [("a", STYLES[0])])]) == ""
    assert written(paper, [(0, WIDE + 2, [("a", STYLES[0])])]) == ""
    assert "abc" in written(paper, [(0, WIDE - 3, [("abcdef", STYLES[0])])])


@pytest.mark.parametrize("theme", themes.PALETTES)
def test_who_has_the_arm_is_no_bold_black_in_16_colours(theme):
    """xterm and the Linux console show that as grey: on a colour nobody reads it."""
    themes.use(theme)
    blocks = [style for name, style in themes.STYLES.items() if name.endswith("_block")]
    themes.use("dark")
    for style in blocks:
        drawn = Pen(ColorSystem.STANDARD).write("HOLD", style)
        codes = drawn[2 : drawn.index("m")].split(";")
        assert not ("30" in codes and "1" in codes), drawn
        assert "1" in Pen(ColorSystem.TRUECOLOR).write("HOLD", style)[2:].split("m")[0].split(";")


def test_in_16_colours_the_stop_is_red_and_no_hue_is_taken_for_another():
    def of(name: str) -> str:
        return ink(themes.STYLES[name], ColorSystem.STANDARD).back

    assert of("red_block") == "41"
    assert len({of(f"{hue}_block") for hue in ("red", "amber", "blue", "green", "violet", "grey")}) == 6
    assert ink(themes.STYLES["red"], ColorSystem.STANDARD).front == "31"


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_in_256_colours_the_nearest_is_taken(rgb):
    def of(index: int) -> tuple[int, int, int]:
        if index >= 232:
            return (8 + 10 * (index - 232),) * 3
        levels = (0, 95, 135, 175, 215, 255)
        red, green, blue = (index - 16) // 36, (index - 16) // 6 % 6, (index - 16) % 6
        return levels[red], levels[green], levels[blue]

    def apart(index: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(of(index), rgb, strict=True))

    code = ink(Style(color=Color.from_rgb(*rgb)), ColorSystem.EIGHT_BIT).front
    assert code.startswith("38;5;")
    assert apart(int(code[5:])) == min(map(apart, range(16, 256)))
