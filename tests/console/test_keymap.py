from hilserl_tui.actions import KeyActions
from hilserl_tui.app import Console
from hilserl_tui.keymap import KEYS, footer, stop_keys
from hilserl_tui.screens.help import key_rows
from tests.console import demo
from tests.console.still import Still


def test_no_key_means_two_things():
    keys = [name for key in KEYS for name in key.keys.split(",")]
    assert len(keys) == len(set(keys))
    ids = [key.id for key in KEYS]
    assert len(ids) == len(set(ids))


def test_every_key_has_an_action():
    for key in KEYS:
        name = key.action.partition("(")[0]
        assert hasattr(Console, f"action_{name}"), key
        assert hasattr(KeyActions, f"action_{name}") or key.group == "console", key


def test_stop_is_a_single_byte_and_works_with_caps_lock():
    assert stop_keys(typing=False) == {"x", "X", "ctrl+c"}


def test_the_stop_key_is_first_in_the_footer_whenever_the_arm_may_move():
    for human in (False, True):
        assert footer(stopped=False, human=human, idle=False)[0][0] == "stop"


def test_help_lists_every_key():
    text = "\n".join("".join(part for part, _ in row) for row in key_rows())
    for key in KEYS:
        assert key.id == "confirm-clear" or key.help in text


def test_keys_can_be_remapped_by_id():
    app = Console(Still(demo.training()))
    app.set_keymap({"success": "k"})
    assert app._keymap == {"success": "k"}
