"""Repeats: which keys act again while they are held, where the terminal tells a repeat from a press.

What ends, deletes, marks or switches acts once a press: nobody wants it ten times.
"""

from hilserl_tui.keymap import remapped, stop_keys

_MOVES_ABOUT = frozenset({"up", "down", "left", "right", "pageup", "pagedown", "tab"})
"""Through lists, pictures and fields, with any modifier."""
_REPEATING = frozenset(
    {
        *("forward", "back", "left", "right", "raise", "lower", "close", "open"),
        *("wider", "narrower", "face-in", "face-out"),
        *("crop-up", "crop-down", "crop-left", "crop-right", "crop-nearer", "crop-further"),
        *("crop-next", "crop-previous", "crop-episode"),
        *("episodes-up", "episodes-down", "episodes-back", "episodes-on", "episodes-speed"),
        *("classifier-next", "classifier-previous", "results-older", "results-newer"),
    }
)
_SCREENS = frozenset({"minus", "greater_than_sign", "less_than_sign"})
"""Keys of screens that stand in no table."""


def may_repeat(key: str, typing: bool) -> bool:
    """Whether a repeat of the key, by Textual's name, is to act; all do while a text is typed, and stop does always."""
    if typing or key in stop_keys(typing):
        return True
    from hilserl_tui.remapping import ALL_KEYS  # brings the tables of screens that may never be shown

    repeating = _SCREENS.union(*(one.names for one in ALL_KEYS if one.id in _REPEATING))
    moves_about = key.rpartition("+")[2] in _MOVES_ABOUT
    return (moves_about or key in repeating) and key not in remapped(but=_REPEATING)
