"""Paper: what the terminal shows, cell by cell, and the shortest way from there to what it should show.

Textual repaints a changed row from its widget's left edge and names every colour for every word. Here only cells
that differ are written, and of their colours only what changes: a fifth of the bytes.
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

from hilserl_tui.theme import IN_16_COLOURS

UNKNOWN = "\0"  # no character that is ever drawn
GAP = 4  # so few unchanged cells are written again: going past them takes as many bytes
HALF = "▀"
BLACK, BOLD = "30", "1"  # together they are grey in xterm and on the Linux console: unreadable on a colour
CUBE = (0, 95, 135, 175, 215, 255)  # shares of a colour in the cube of 216
BETWEEN = (48, 115, 155, 195, 235)
_BLANK_ALIKE = ("", "1", "2", "3", "1;2", "1;3")  # attributes that a space does not show
_NO_STYLE = Style()
_NO_MARKS = re.compile("[ -\u02ff\u2190-\u28ff]*")  # no characters without a width of their own among these


class Ink(NamedTuple):
    """What the terminal writes with: parameters of SGR (ECMA-48, 8.3.117)."""

    attributes: str = ""
    front: str = "39"
    back: str = "49"


@lru_cache(maxsize=8192)  # of a camera that moves all are used
def ink(style: Style, colours: ColorSystem) -> Ink:
    plain = style.without_color.render("x", color_system=colours)
    attributes = plain[2 : plain.index("m")] if plain.startswith("\x1b[") else ""
    front, back = style.color, style.bgcolor
    front_codes = _codes(front, colours, True) if front else "39"
    if front_codes == BLACK:
        attributes = ";".join(one for one in attributes.split(";") if one != BOLD)
    return Ink(
        attributes,
        front_codes,
        _codes(back, colours, False) if back else "49",
    )


def _codes(colour: Color, colours: ColorSystem, foreground: bool) -> str:
    if colour.triplet is not None:
        if colours is ColorSystem.STANDARD:
            colour = IN_16_COLOURS.get(colour.triplet.hex, colour)
        elif colours is ColorSystem.EIGHT_BIT:
            colour = Color.from_ansi(_nearest_of_256(colour.triplet))
    return ";".join(colour.downgrade(colours).get_ansi_codes(foreground=foreground))


class Pen:
    """Writes text in styles, and names only what differs from what it wrote with before."""

    def __init__(self, colours: ColorSystem) -> None:
        self._colours = colours
        self._ink = Ink()

    def write(self, text: str, style: Style) -> str:
        wanted, has = ink(style, self._colours), self._ink
        if wanted.front == wanted.back and not wanted.attributes and not text.strip(HALF):
            text = " " * len(text)  # both halves alike
        if wanted.attributes in _BLANK_ALIKE and has.attributes in _BLANK_ALIKE and text.isspace():
            wanted = Ink(has.attributes, has.front, wanted.back)
        if wanted == has:
            return text
        self._ink = wanted
        if wanted.attributes != has.attributes:
            has, codes = Ink(), ["0"]
            if wanted.attributes:
                codes.append(wanted.attributes)
        else:
            codes = []
        if wanted.front != has.front:
            codes.append(wanted.front)
        if wanted.back != has.back:
            codes.append(wanted.back)
        return f"\x1b[{';'.join(codes)}m{text}"

    def lift(self) -> str:
        """Leave the terminal with no style set."""
        if self._ink == Ink():
            return ""
        self._ink = Ink()
        return "\x1b[0m"


class Paper:
    """The screen as it was written."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._rows: list[tuple[list[str], list[Style]]] = []

    def fit(self, width: int, height: int) -> None:
        """The terminal has this size; after a change of it nobody knows what it shows."""
        if self._size != (width, height):
            self._size = (width, height)
            self.forget()

    def forget(self) -> None:
        """Somebody else wrote to the terminal."""
        width, height = self._size
        self._rows = [([UNKNOWN] * width, [_NO_STYLE] * width) for _ in range(height)]

    def write(self, pen: Pen, x: int, y: int, segments: Iterable[Segment]) -> str:
        """What makes the terminal show `segments` from cell `x` of row `y`; "" where it does already."""
        if y >= len(self._rows) or x >= self._size[0]:
            return ""
        characters, styles = _cells(segments)
        shown, worn = self._rows[y]
        end = min(x + len(characters), len(shown))
        characters, styles = characters[: end - x], styles[: end - x]
        if shown[x:end] == characters and worn[x:end] == styles:
            return ""
        out: list[str] = []
        for start, stop in _runs(shown[x:end], characters, worn[x:end], styles):
            out.append(f"\x1b[{x + start + 1}G" if out else f"\x1b[{y + 1};{x + start + 1}H")
            out.append(_written(pen, characters[start:stop], styles[start:stop]))
        shown[x:end], worn[x:end] = characters, styles
        return "".join(out)


def _cells(segments: Iterable[Segment]) -> tuple[list[str], list[Style]]:
    """A character and a style for each cell; "" for the second cell of a wide character."""
    characters: list[str] = []
    styles: list[Style] = []
    for text, style, control in segments:
        if control:
            continue
        if _NO_MARKS.fullmatch(text) and cell_len(text) == len(text):
            characters.extend(text)
        else:
            _add_uneven(characters, text)
        styles.extend([style or _NO_STYLE] * (len(characters) - len(styles)))
    return characters, styles


def _add_uneven(characters: list[str], text: str) -> None:
    """Text with wide characters, with marks that have no width, or with several that make one picture."""
    sizes = [get_character_cell_size(character) for character in text]
    parts = list(zip(text, sizes, strict=True)) if sum(sizes) == cell_len(text) else [(text, cell_len(text))]
    for part, wide in parts:
        if wide > 0:
            characters += [part, *[""] * (wide - 1)]
        elif characters:
            characters[-1] += part


def _runs(
    shown: list[str], characters: list[str], worn: list[Style], styles: list[Style]
) -> Iterator[tuple[int, int]]:
    """(first, end) of the cells to write; neighbours share one."""
    start = stop = -1
    for at, (old, new, had, has) in enumerate(zip(shown, characters, worn, styles, strict=True)):
        if old == new and (had is has or had == has):
            continue
        if start >= 0 and at - stop > GAP:
            yield _whole(characters, start, stop)
            start = -1
        if start < 0:
            start = at
        stop = at + 1
    if start >= 0:
        yield _whole(characters, start, stop)


def _whole(characters: list[str], start: int, stop: int) -> tuple[int, int]:
    """No wide character is cut."""
    while start > 0 and not characters[start]:
        start -= 1
    while stop < len(characters) and not characters[stop]:
        stop += 1
    return start, stop


def _written(pen: Pen, characters: list[str], styles: list[Style]) -> str:
    out = []
    begin = 0
    for at in range(1, len(styles) + 1):
        if at == len(styles) or styles[at] is not styles[begin]:
            out.append(pen.write("".join(characters[begin:at]), styles[begin]))
            begin = at
    return "".join(out)


@lru_cache(maxsize=8192)
def _nearest_of_256(colour: ColorTriplet) -> int:
    """Of the cube and the greys. Rich never takes a grey for a colour with some hue: dark blues become teal or navy."""
    steps = [bisect(BETWEEN, share) for share in colour]
    cube = ColorTriplet(*(CUBE[step] for step in steps))
    grey = min(23, max(0, round((sum(colour) / 3 - 8) / 10)))
    if _apart(colour, ColorTriplet(*[8 + 10 * grey] * 3)) < _apart(colour, cube):
        return 232 + grey
    return 16 + 36 * steps[0] + 6 * steps[1] + steps[2]


def _apart(one: ColorTriplet, other: ColorTriplet) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
