"""The keys of the Crop screen: bindings, footer and help are made from this table.

They hold on that screen only, where they stand before the general ones; the keys of the arm's safety stay free.
"""

from textual.binding import Binding

from hilserl_tui.keymap import Group, Key, bindings_of, footer_entry, pair

# fmt: off
CROP_KEYS: tuple[Key, ...] = (
    Key("crop-up", "up", "arrow(-1,0)", "Up", "a pixel up; ctrl: ten; shift: the lower right corner", Group.CROP, "↑"),
    Key("crop-down", "down", "arrow(1,0)", "Down", "a pixel down", Group.CROP, "↓"),
    Key("crop-left", "left", "arrow(0,-1)", "Left", "a pixel to the left", Group.CROP, "←"),
    Key("crop-right", "right", "arrow(0,1)", "Right", "a pixel to the right", Group.CROP, "→"),
    Key("crop-sizing", "m", "sizing", "Move, size", "arrows move the crop, or its size as with shift", Group.CROP),
    Key("crop-step", "n", "step", "1, 10 px", "arrows go one pixel, or ten as with ctrl", Group.CROP),
    Key("crop-square", "k", "square", "Square", "keep the crop square, or not", Group.CROP),
    Key("crop-type", "i", "numbers", "Type", "type a crop (top, left, height, width) or a size", Group.CROP),
    Key("crop-whole", "o", "whole", "Whole", "the whole picture", Group.CROP),
    Key("crop-back", "b", "as_in_file", "As in file", "back to what the file has", Group.CROP),
    Key("crop-size", "d", "other_size", "Resize", "another size of the policy's pictures", Group.CROP),
    Key("crop-camera", "tab", "camera(1)", "Camera", "the next camera (shift+tab: the one before)", Group.CROP),
    Key("crop-nearer", "z,plus", "zoom(1)", "Zoom", "nearer, to the corner that arrows move (+, wheel)", Group.CROP),
    Key("crop-further", "Z,minus", "zoom(-1)", "Zoom out", "further off (-, wheel)", Group.CROP),
    Key("crop-hold", "h", "hold", "Hold", "hold the live picture still, or let it go on", Group.CROP),
    Key("crop-next", "full_stop", "turn(0,1)", "Next", "the dataset's next frame (> ten, end: last)", Group.CROP, "."),
    Key("crop-previous", "comma", "turn(0,-1)", "Previous", "the frame before (< ten, home: first)", Group.CROP, ","),
    Key("crop-episode", "pagedown", "turn(1,0)", "Episode", "its next episode (pageup: the one before)", Group.CROP),
    Key("crop-write", "w,enter", "write", "Write", "see what would change in the file, then write it", Group.CROP),
)
# fmt: on
CROP_BY_ID = {key.id: key for key in CROP_KEYS}
_ARROWS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_MODIFIED = {"shift+": (True, 1), "ctrl+": (False, 10), "ctrl+shift+": (True, 10)}
_MORE = {
    "shift+tab": "camera(-1)",
    "greater_than_sign": "turn(0,10)",
    "less_than_sign": "turn(0,-10)",
    "home": "turn(0,-1000000)",
    "end": "turn(0,1000000)",
    "pageup": "turn(-1,0)",
}
FOOTER = ("crop-camera", "crop-square", "crop-size", "crop-type", "crop-nearer")


def bindings() -> list[Binding]:
    made = bindings_of(CROP_KEYS)
    made += [Binding(key, action, "", show=False) for key, action in _MORE.items()]
    for arrow, (down, right) in _ARROWS.items():
        for modifier, (sizing, step) in _MODIFIED.items():
            made.append(Binding(modifier + arrow, f"arrow({down},{right},{sizing},{step})", "", show=False))
    return made


def crop_footer(dataset: bool) -> tuple[tuple[str, str, str], ...]:
    """(id, caption, label) of the keys that matter most; of a live camera the stop key comes first."""
    arrows = (("crop-move", "↑↓←→", "Move"), ("crop-shift", "shift", "Size"))
    frames = pair(CROP_BY_ID["crop-previous"], CROP_BY_ID["crop-next"])
    turn = ("crop-turn", frames, "Frame") if dataset else _entry("crop-hold")
    first = () if dataset else (footer_entry("stop"),)
    leave = (footer_entry("help"), footer_entry("quit"))
    return (*first, *arrows, _entry("crop-write"), turn, *leave, *(_entry(name) for name in FOOTER))


def _entry(name: str) -> tuple[str, str, str]:
    key = CROP_BY_ID[name]
    return name, key.caption, key.label
