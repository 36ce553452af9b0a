"""What the terminal says of keys, in the forms of the kitty protocol, as kitty sends them with flags 1, 2, 8 and 16."""

import random

import pytest
from textual import events

from hilserl_tui.key_phases import Key, KeyboardFlags, KeyReleased, Phase, PhaseParser


def parsed(text: str) -> list[object]:
    parser = PhaseParser()
    return [message for character in text for message in parser.feed(character)]


def told(text: str) -> list[tuple[str, str, str]]:
    """(phase, code, Textual's name) of every key; of a release there is none."""
    return [
        (one.phase.name, one.code, one.key) if isinstance(one, Key) else ("RELEASE", one.code, "")
        for one in parsed(text)
        if isinstance(one, Key | KeyReleased)
    ]


@pytest.mark.parametrize(
    ("sent", "name", "code"),
    [
        (("117;;117", "117;1:2;117", "117;1:3", "u"), "u", "117u"),
        (("", "1;1:2", "1;1:3", "A"), "up", "1A"),
        (("1;1:1", "1;1:2", "1;1:3", "D"), "left", "1D"),
        (("5", "5;1:2", "5;1:3", "~"), "pageup", "5~"),
        (("91;;91", "91;1:2;91", "91;1:3", "u"), "left_square_bracket", "91u"),
        (("13", "13;1:2", "13;1:3", "u"), "enter", "13u"),
        (("32;;32", "32;1:2;32", "32;1:3", "u"), "space", "32u"),
        (("1;129", "1;129:2", "1;129:3", "A"), "up", "1A"),  # num lock is on
        (("99;5", "99;5:2", "99;5:3", "u"), "ctrl+c", "99u"),
    ],
)
def test_press_repeat_and_release_have_one_code_and_only_the_release_is_no_key(
    sent: tuple[str, str, str, str], name: str, code: str
) -> None:
    press, repeat, release, end = sent
    text = "".join(f"\x1b[{part}{end}" for part in (press, repeat, release))
    assert told(text) == [("PRESS", code, name), ("REPEAT", code, name), ("RELEASE", code, "")]


def test_a_name_changes_with_shift_and_the_code_does_not() -> None:
    (press, release) = told("\x1b[97;2;65u\x1b[97;2:3u")
    assert press == ("PRESS", "97u", "A")
    assert release == ("RELEASE", "97u", "")


def test_modifiers_are_keys_that_come_and_go() -> None:
    assert [(phase, code) for phase, code, _ in told("\x1b[57441;2u\x1b[57441;2:3u")] == [
        ("PRESS", "57441u"),
        ("RELEASE", "57441u"),
    ]


def test_what_was_typed_is_still_text() -> None:
    (message,) = parsed("\x1b[117;;117u")
    assert isinstance(message, Key) and (message.key, message.character) == ("u", "u")


def test_the_terminal_says_whether_it_tells_releases_of_all_keys() -> None:
    said = {}
    for flags in (0, 1, 3, 10, 25, 27, 31):
        (answer,) = parsed(f"\x1b[?{flags}u")
        assert isinstance(answer, KeyboardFlags)
        said[flags] = answer.phases
    assert [flags for flags, phases in said.items() if phases] == [10, 27, 31]


def test_keys_of_terminals_without_the_protocol_are_presses() -> None:
    messages = parsed("u\x1b[A\x1b[6~x")
    assert [one.key for one in messages if isinstance(one, events.Key)] == ["u", "up", "pagedown", "x"]
    assert told("u\x1b[A\x1b[6~x") == [("PRESS", "1A", "up"), ("PRESS", "6~", "pagedown")]


def test_the_other_answers_of_a_terminal_are_no_keys() -> None:
    answers = "\x1b[24;80R\x1b[?2026;2$y\x1b[I\x1b[O\x1b[<0;5;5M\x1b[48;40;120;640;960t"
    assert not [one for one in parsed(answers) if isinstance(one, events.Key | KeyReleased | KeyboardFlags)]


def test_text_of_an_input_method_has_no_phase() -> None:
    for text in ("\x1b[0;;117u", "\x1b[0;1:1;117u"):
        (message,) = parsed(text)
        assert type(message) is events.Key and message.key == "u"


def test_a_paste_is_text_and_no_key() -> None:
    messages = parsed("\x1b[200~uuu\x1b[201~x")
    assert [type(one) for one in messages] == [events.Paste, events.Key]


def test_a_phase_that_there_is_not_is_no_key() -> None:
    for phase in ("0", "4", "9", "33"):
        assert parsed(f"\x1b[117;1:{phase};117u") == []


def test_noise_of_the_protocols_own_characters_gives_keys_or_a_value_error_and_nothing_else() -> None:
    """As the driver expects: it goes on with a new parser then."""
    source = random.Random(3)
    fed = raised = 0
    for _ in range(3000):
        text = "\x1b[" + "".join(source.choices("0123456789:;?", k=source.randint(0, 9)))
        try:
            parsed(text + source.choice("u~ABHPz$"))
        except (ValueError, OverflowError):
            raised += 1
        fed += 1
    assert fed == 3000 and raised < fed / 2


def test_phases_are_numbered_as_in_the_protocol() -> None:
    assert [Phase(number) for number in (1, 2, 3)] == [Phase.PRESS, Phase.REPEAT, Phase.RELEASE]


def test_a_key_is_handled_by_whoever_handles_textuals() -> None:
    assert Key.handler_name == events.Key.handler_name


@pytest.mark.parametrize(
    ("sent", "name", "latin"),
    [
        ("\x1b[1095::120;;1095u", "ч", "x"),
        ("\x1b[1095:1063:120;2;1063u", "Ч", "X"),
        ("\x1b[1089::99;5u", "ctrl+с", "ctrl+c"),
        ("\x1b[1093::91;;1093u", "х", "left_square_bracket"),
        ("\x1b[1095::120;65;1095u", "ч", "x"),  # caps lock is on
    ],
)
def test_a_key_without_a_latin_letter_is_told_by_its_place_too(sent: str, name: str, latin: str) -> None:
    (key,) = parsed(sent)
    assert isinstance(key, Key) and key.key == name
    assert key.latin is not None and (key.latin.key, key.latin.code, key.latin.phase) == (
        latin,
        key.code,
        Phase.PRESS,
    )


@pytest.mark.parametrize(
    "sent", ["\x1b[97::113;;97u", "\x1b[120:88;2;88u", "\x1b[1095;;1095u", "\x1b[1;1:1A"]
)
def test_a_latin_letter_is_what_it_is_wherever_it_is(sent: str) -> None:
    (key,) = parsed(sent)
    assert isinstance(key, Key) and key.latin is None


def test_what_follows_an_escape_is_known_but_not_in_a_paste() -> None:
    parser = PhaseParser()
    assert not parser.behind_escape
    list(parser.feed("\x1b"))
    assert parser.behind_escape
    list(parser.feed("[200~a\x1b"))
    assert parser.pasting and not parser.behind_escape
    list(parser.feed("[201~\x1b"))
    assert not parser.pasting and parser.behind_escape


def test_a_parser_in_place_of_a_tripped_one_knows_how_the_mouse_speaks() -> None:
    parser = PhaseParser()
    parser.mouse_pixels, parser.terminal_size, parser.terminal_pixel_size = True, (80, 24), (800, 480)
    fresh = parser.anew()
    assert (fresh.mouse_pixels, fresh.terminal_size, fresh.terminal_pixel_size) == (
        True,
        (80, 24),
        (800, 480),
    )
