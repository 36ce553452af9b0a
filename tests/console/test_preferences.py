"""A person's own keys, theme and bell: taken where they make sense, told like a wrong configuration where not."""

from pathlib import Path

import pytest
from rich.style import Style

from hilserl_tui import keymap, theme
from hilserl_tui.app import Console
from hilserl_tui.bell import Bell
from hilserl_tui.keymap import KEYS, footer, hint, remap, stop_keys
from hilserl_tui.preferences import NO_PREFERENCES, Preferences, load_preferences
from hilserl_tui.preferences_path import preferences_path
from hilserl_tui.remapping import ALL_KEYS, key_problems, normal
from hilserl_tui.screens.help import key_rows
from hilserl_tui.theme import PALETTES, STYLES, use
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from workers.config import ConfigError
from workers.model import commands as c
from workers.model import events as e
from workers.model.reduce import reduce


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    remap({})
    use("dark")


def read(folder: Path, text: str) -> Preferences:
    path = folder / "console.toml"
    path.write_text(text)
    return load_preferences(path)


def test_without_a_file_all_is_as_it_comes(tmp_path: Path) -> None:
    assert load_preferences(tmp_path / "none.toml") == NO_PREFERENCES


def test_the_file_is_looked_for_where_settings_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert preferences_path() == tmp_path / "hilserl-tui/console.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert preferences_path() == tmp_path / ".config/hilserl-tui/console.toml"


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    found = read(tmp_path, 'theme = "light"\nbell = ["stop"]\n[keys]\nsuccess = "k, ctrl+s"\nevaluate = ""\n')
    assert (found.theme, found.bell) == ("light", ("stop",))
    assert found.keys == {"success": "k,ctrl+s", "evaluate": ""}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('theme = "dork"', 1, "theme"),
        ('bell = ["sucess"]', 1, "bell"),
        ('colour = "red"', 1, "unknown key"),
        ('[keys]\nsucces = "k"', 2, 'did you mean "success"?'),
        ('[keys]\nsuccess = "pagedwn"', 2, 'did you mean "pagedown"?'),
        ('[keys]\n\nsuccess = "f"', 3, "is the key of fail too"),
        ('[keys]\nstop = ""', 2, "must have a key"),
        ('[keys]\nstop-always = "f1"', 2, "ctrl+c stops the arm"),
        ('[keys]\ncrop-hold = "x"', 2, "is the key of stop too"),
        ("[keys]\nsuccess = 3", 2, "keys.success"),
        ("[keys\n", 1, "not valid TOML"),
    ],
)
def test_mistakes_are_told_by_line_and_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert f"console.toml:{line}" in str(error.value)
    assert words in str(error.value)


def test_swapping_two_keys_is_no_clash() -> None:
    assert list(key_problems({"success": "f", "fail": "s"})) == []


def test_every_key_as_it_comes_is_a_key_and_clashes_with_none() -> None:
    fixed = ("stop-always", "confirm-clear")
    assert list(key_problems({key.id: key.keys for key in ALL_KEYS if key.id not in fixed})) == []
    assert all(normal(key.keys) == key.keys for key in ALL_KEYS)


@pytest.mark.parametrize(
    ("given", "named"),
    [("[", "left_square_bracket"), ("ctrl+/", "ctrl+slash"), (",", "comma"), ("a, +", "a,plus")],
)
def test_characters_are_named_as_the_toolkit_does(given: str, named: str) -> None:
    assert normal(given) == named


async def test_a_remapped_key_does_it_and_the_old_one_does_not() -> None:
    client = Still(demo.training())
    app = Console(
        client, start_run=True, preferences=Preferences(keys={"success": "k", "fail": "s", "evaluate": ""})
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        row = screen_text(app)[-1]
        assert " k  Success" in row and " s  Fail" in row and "Evaluate" not in row
        await pilot.press("k", "s", "f", "e")
        await settle(pilot)
    marks = [command.verdict for command in client.sent if isinstance(command, c.Mark)]
    assert marks == [c.Verdict.SUCCESS, c.Verdict.FAILURE]
    assert not [command for command in client.sent if isinstance(command, c.EvaluateNow)]


def test_the_remapped_stop_stops_and_ctrl_c_always_does() -> None:
    remap({"stop": "f12"})
    assert stop_keys(typing=False) == {"f12", "ctrl+c"}
    assert stop_keys(typing=True) == {"ctrl+c"}
    assert footer(stopped=False, human=False, idle=False)[0] == ("stop", "f12", "STOP")
    assert "f12 is a software stop" in "\n".join("".join(part for part, _ in row) for row in key_rows())


def test_words_that_name_a_key_name_the_persons_own() -> None:
    remap({"intervene": "h", "forward": "w", "back": "s"})
    assert hint("intervene") == "h"
    assert hint("back") == "s"
    entries = {name: caption for name, caption, _ in footer(stopped=False, human=True, idle=False)}
    assert entries["move"] == "ws←→"
    assert entries["intervene"] == "h"


def test_the_key_table_prints_what_it_printed_without_a_file() -> None:
    entries = {name: caption for name, caption, _ in footer(stopped=False, human=True, idle=False)}
    assert (entries["move"], entries["height"], entries["gripper"]) == ("↑↓←→", "u j", "[ ]")
    assert {key.id for key in KEYS} == set(keymap.BY_ID)


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_text_stands_out_from_its_ground(name: str) -> None:
    """WCAG 2's contrast ratio: 4.5 for text, 3 for what is faint on purpose or large."""
    use(name)
    colours = PALETTES[name]
    for style, least in (
        ("text", 7.0),
        ("dim", 4.5),
        ("green", 4.5),
        ("red", 4.5),
        ("amber", 4.5),
        ("blue", 4.5),
    ):
        assert contrast(STYLES[style], colours.ground) >= least, style
    for style in STYLES:
        if style.endswith("_block") or style == "key":
            assert contrast(STYLES[style], colours.ground) >= 3.0, style


def contrast(style: Style, ground: str) -> float:
    from rich.color import Color

    back = style.bgcolor or Color.parse(ground)
    assert style.color is not None
    light, dark = sorted((luminance(style.color), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour) -> float:
    parts = [value / 255 for value in colour.get_truecolor()]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_success_and_failure_of_the_safe_theme_differ_for_who_sees_no_red_or_no_green() -> None:
    """In each simulated deficiency (Machado et al. 2009, severity 1) the two stay further apart than in `dark`."""
    protan = (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    )
    deutan = (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    )
    for matrix in (protan, deutan):
        assert apart(PALETTES["safe"], matrix) > 90


def apart(colours: theme.Palette, matrix) -> float:
    from rich.color import Color

    seen = []
    for colour in (colours.green, colours.red):
        rgb = Color.parse(colour).get_truecolor()
        seen.append([sum(m * v for m, v in zip(row, rgb, strict=True)) for row in matrix])
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


@pytest.mark.parametrize("name", sorted(PALETTES))
async def test_every_theme_draws_and_changes_while_it_runs(name: str) -> None:
    app = Console(Still(demo.training()), start_run=True, preferences=Preferences(theme=name))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "S alone 0.95" in "\n".join(screen_text(app))
        assert drawn_colour(app) == PALETTES[name].text
        other = "dark" if name != "dark" else "light"
        app._change_theme(other)
        await settle(pilot)
        assert drawn_colour(app) == PALETTES[other].text
        assert "S alone 0.95" in "\n".join(screen_text(app))


def drawn_colour(app: Console) -> str:
    """Of the figures in the pane of the episodes."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if "0.95" in segment.text and segment.style and segment.style.color:
                return segment.style.color.name
    raise AssertionError("nothing was drawn")


def ended(how: e.EndedBy, number: int) -> e.EpisodeEnded:
    return e.EpisodeEnded(number, e.EpisodeKind.TRAINING, 1.0, 30, 0, 0, how, 3.0)


def test_the_bell_rings_once_for_what_is_wanted() -> None:
    bell, state = Bell(("success", "stop")), demo.training()
    assert not bell.rings(state)  # what was there before is no news
    state = reduce(state, ended(e.EndedBy.SUCCESS, 200))
    assert bell.rings(state)
    assert not bell.rings(state)
    for number, how in enumerate((e.EndedBy.FAILURE, e.EndedBy.TIME_LIMIT, e.EndedBy.RERECORD)):
        state = reduce(state, ended(how, 201 + number))
        assert not bell.rings(state)
    state = reduce(state, e.StopLatched("kim"))
    assert bell.rings(state)
    assert not bell.rings(state)


def test_a_failure_or_the_time_limit_rings_where_failures_do() -> None:
    bell, state = Bell(("failure",)), demo.training()
    bell.rings(state)
    assert bell.rings(reduce(state, ended(e.EndedBy.TIME_LIMIT, 300)))


def test_without_wishes_it_is_silent() -> None:
    bell, state = Bell(), demo.training()
    bell.rings(state)
    assert not bell.rings(reduce(reduce(state, ended(e.EndedBy.SUCCESS, 300)), e.StopLatched("kim")))
