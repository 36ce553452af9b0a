"""The keys of the Episodes screen: bindings, footer and help are made from this table."""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of

# fmt: off
EPISODE_KEYS: tuple[Key, ...] = (
    Key("episodes-up", "up", "choose(-1)", "Up", "the episode above (pageup: ten)", Group.EPISODES, "↑"),
    Key("episodes-down", "down", "choose(1)", "Down", "the episode below (pagedown: ten)", Group.EPISODES, "↓"),
    Key("episodes-play", "space", "play", "Play", "play the episode, or stop", Group.EPISODES),
    Key("episodes-back", "left", "turn(-1)", "Back", "a frame back (shift: ten; home: the first)", Group.EPISODES, "←"),
    Key("episodes-on", "right", "turn(1)", "On", "a frame on (shift: ten; end: the last)", Group.EPISODES, "→"),
    Key("episodes-speed", "plus,equals_sign", "speed(1)", "Faster", "play faster (-: slower)", Group.EPISODES, "+"),
    Key("episodes-success", "s", "relabel(True)", "Success", "this episode is a success", Group.EPISODES),
    Key("episodes-failure", "f", "relabel(False)", "Failure", "this episode is a failure", Group.EPISODES),
    Key("episodes-delete", "d,delete", "delete", "Delete", "delete this episode, then y", Group.EPISODES, "d y"),
    Key("episodes-undo", "z", "undo", "Undo", "take the last change of the dataset back", Group.EPISODES),
)
# fmt: on
_MORE = {
    "pageup": "choose(-10)",
    "pagedown": "choose(10)",
    "shift+left": "turn(-10)",
    "shift+right": "turn(10)",
    "home": "turn(-1000000)",
    "end": "turn(1000000)",
    "minus": "speed(-1)",
    "y": "confirm",
}
_FOOTER = ("play", "on", "success", "failure", "delete", "undo", "speed")


def bindings() -> list[Binding]:
    made = bindings_of(EPISODE_KEYS)
    return made + [Binding(key, action, "", show=False) for key, action in _MORE.items()]


def episode_footer() -> tuple[tuple[str, str, str], ...]:
    """(id, caption, label), most important first."""
    by_id = {key.id: key for key in EPISODE_KEYS}
    named = [by_id[f"episodes-{name}"] for name in _FOOTER]
    entries = [(key.id, "← →" if key.id == "episodes-on" else key.caption, key.label) for key in named]
    return (("episodes-choose", "↑ ↓", "Episode"), *entries, ("help", "?", "Keys"), ("quit", "q", "Quit"))
