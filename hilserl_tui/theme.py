"""The themes, and the named styles every pane writes with.

Hues are Okabe and Ito's colour-blind safe set (https://jfly.uni-koeln.de/color/), lifted or darkened where they
are read as text. A hue always comes with a word or a shape; none carries meaning alone. `safe` goes further: what
is well is blue and what is not is orange, which no common kind of colour blindness confuses, on a black ground.
"""

from dataclasses import dataclass

from rich.color import Color
from rich.style import Style
from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are for."""

    dark: bool
    ground: str
    panel: str
    bar: str  # behind the bars at top and bottom
    key: str  # behind a key's name
    edge: str
    text: str
    dim: str
    faint: str
    blue: str  # the policy
    amber: str  # a person
    green: str  # success
    red: str  # failure
    vermilion: str  # the stop
    violet: str  # the link
    yellow: str  # a warning


DARK = Palette(
    dark=True,
    ground="#0f1318",
    panel="#141a21",
    bar="#1b232d",
    key="#243140",
    edge="#2c3744",
    text="#d5dde5",
    dim="#8b98a5",
    faint="#4d5966",
    blue="#56b4e9",
    amber="#e69f00",
    green="#1fb98a",
    red="#f0763a",
    vermilion="#d55e00",
    violet="#cc79a7",
    yellow="#f0e442",
)
LIGHT = Palette(
    dark=False,
    ground="#fbfcfd",
    panel="#f1f4f7",
    bar="#e3e9ef",
    key="#ccd7e1",
    edge="#b7c2cd",
    text="#17202a",
    dim="#4f5b67",
    faint="#8f9aa5",
    blue="#005f94",
    amber="#8a5a00",
    green="#006b4f",
    red="#b03f00",
    vermilion="#b84a00",
    violet="#8f3f6c",
    yellow="#6f5f00",
)
SAFE = Palette(
    dark=True,
    ground="#000000",
    panel="#0a0a0a",
    bar="#1a1a1a",
    key="#333333",
    edge="#5a5a5a",
    text="#ffffff",
    dim="#c0c0c0",
    faint="#808080",
    blue="#8ecbff",
    amber="#ffd24d",
    green="#4fa8ff",
    red="#ff9a3d",
    vermilion="#c24d00",
    violet="#d9b3ff",
    yellow="#fff176",
)
PALETTES = {"dark": DARK, "light": LIGHT, "safe": SAFE}


def _theme(name: str, colours: Palette) -> Theme:
    return Theme(
        name=f"hilserl-{name}",
        dark=colours.dark,
        primary=colours.blue,
        secondary=colours.violet,
        accent=colours.amber,
        warning=colours.yellow,
        error=colours.vermilion,
        success=colours.green,
        foreground=colours.text,
        background=colours.ground,
        surface=colours.panel,
        panel=colours.panel,
        variables={
            "edge": colours.edge,
            "dim": colours.dim,
            "faint": colours.faint,
            "bar": colours.bar,
            "block-cursor-foreground": colours.ground,
        },
    )


THEMES = {name: _theme(name, colours) for name, colours in PALETTES.items()}
THEME = THEMES["dark"]


def _styles(colours: Palette) -> dict[str, Style]:
    ground, on_dark = colours.ground, "#ffffff"
    return {
        "text": Style(color=colours.text),
        "bold": Style(color=colours.text, bold=True),
        "dim": Style(color=colours.dim),
        "faint": Style(color=colours.faint),
        "blue": Style(color=colours.blue),
        "amber": Style(color=colours.amber),
        "green": Style(color=colours.green),
        "green_helped": Style(color=colours.green, underline=True),
        "red": Style(color=colours.red),
        "red_helped": Style(color=colours.red, underline=True),
        "violet": Style(color=colours.violet),
        "yellow": Style(color=colours.yellow),
        "blue_block": Style(color=ground, bgcolor=colours.blue, bold=True),
        "amber_block": Style(color=ground, bgcolor=colours.amber, bold=True),
        "grey_block": Style(color=ground, bgcolor=colours.dim, bold=True),
        "red_block": Style(color=on_dark, bgcolor=colours.vermilion, bold=True),
        "violet_block": Style(color=ground, bgcolor=colours.violet, bold=True),
        "green_block": Style(color=ground, bgcolor=colours.green, bold=True),
        "key": Style(color=colours.text, bgcolor=colours.key, bold=True),
        "tab": Style(color=colours.text, bold=True, underline=True),
    }


_HUES = {
    "blue": "cyan",
    "amber": "yellow",
    "green": "green",
    "red": "red",
    "vermilion": "red",
    "violet": "magenta",
    "yellow": "bright_yellow",
}
IN_16_COLOURS: dict[str, Color] = {
    getattr(colours, hue): Color.parse(ansi)
    for colours, hues in ((SAFE, {"vermilion": "red"}), (LIGHT, _HUES), (DARK, _HUES))
    for hue, ansi in hues.items()
}
"""Of a terminal that has no others. By distance the stop would be yellow, as a person is, and success cyan, as the
policy is."""

STYLES: dict[str, Style] = _styles(DARK)
"""Of the theme in use. Every style has a colour: the monochrome filter of NO_COLOR fails on segments without one."""


def use(name: str) -> None:
    """Draw in the colours of another theme from now on."""
    STYLES.update(_styles(PALETTES[name]))
