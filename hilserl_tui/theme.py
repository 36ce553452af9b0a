"""One dark theme and the named styles every pane writes with.

Hues are Okabe and Ito's colour-blind safe set (https://jfly.uni-koeln.de/color/), slightly lifted where they
are read as text on a dark ground. A hue always comes with a word or a shape; none carries meaning alone.
"""

from rich.style import Style
from textual.theme import Theme

GROUND = "#0f1318"
PANEL = "#141a21"
EDGE = "#2c3744"
TEXT = "#d5dde5"
DIM = "#8b98a5"
FAINT = "#4d5966"

BLUE = "#56b4e9"
AMBER = "#e69f00"
GREEN = "#1fb98a"
RED = "#f0763a"
VERMILION = "#d55e00"
VIOLET = "#cc79a7"
YELLOW = "#f0e442"

THEME = Theme(
    name="hilserl",
    dark=True,
    primary=BLUE,
    secondary=VIOLET,
    accent=AMBER,
    warning=YELLOW,
    error=VERMILION,
    success=GREEN,
    foreground=TEXT,
    background=GROUND,
    surface=PANEL,
    panel=PANEL,
    variables={"edge": EDGE, "dim": DIM, "faint": FAINT, "block-cursor-foreground": GROUND},
)

STYLES: dict[str, Style] = {
    "text": Style(color=TEXT),
    "bold": Style(color=TEXT, bold=True),
    "dim": Style(color=DIM),
    "faint": Style(color=FAINT),
    "blue": Style(color=BLUE),
    "amber": Style(color=AMBER),
    "green": Style(color=GREEN),
    "green_helped": Style(color=GREEN, underline=True),
    "red": Style(color=RED),
    "red_helped": Style(color=RED, underline=True),
    "violet": Style(color=VIOLET),
    "yellow": Style(color=YELLOW),
    "blue_block": Style(color=GROUND, bgcolor=BLUE, bold=True),
    "amber_block": Style(color=GROUND, bgcolor=AMBER, bold=True),
    "grey_block": Style(color=GROUND, bgcolor=DIM, bold=True),
    "red_block": Style(color="#ffffff", bgcolor=VERMILION, bold=True),
    "violet_block": Style(color=GROUND, bgcolor=VIOLET, bold=True),
    "green_block": Style(color=GROUND, bgcolor=GREEN, bold=True),
    "key": Style(color=TEXT, bgcolor="#243140", bold=True),
    "tab": Style(color=TEXT, bold=True, underline=True),
}
"""Every style has a colour: the monochrome filter of NO_COLOR fails on segments without one."""
