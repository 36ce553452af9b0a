"""Remapping: whether a person's own keys make sense, and how Textual names them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from hilserl_tui.classifier_keys import CLASSIFIER_KEYS
from hilserl_tui.crop_keys import CROP_KEYS
from hilserl_tui.episode_keys import EPISODE_KEYS
from hilserl_tui.evaluate_keys import EVALUATE_KEYS
from hilserl_tui.keymap import KEYS, Key
from workers.config.nearest import nearest

FIXED = {
    "stop-always": "ctrl+c stops the arm whatever else is remapped",
    "confirm-clear": "y answers the question whether a stop may be cleared",
}
NEEDED = ("stop", "clear-stop", "quit")
"""Actions that must keep a key."""
_NAMED = frozenset(
    {
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"),
        *("backspace", "tab", "enter", "escape", "space"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
_MODIFIERS = re.compile(r"^((?:ctrl|shift|alt)\+)*")
_SHORTER = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}  # as Textual has them
ALL_KEYS: tuple[Key, ...] = (*KEYS, *CROP_KEYS, *EPISODE_KEYS, *CLASSIFIER_KEYS, *EVALUATE_KEYS)


def normal(keys: str) -> str:
    """Keys as Textual names them: "[, up" -> "left_square_bracket,up"."""
    return ",".join(_name(key) for key in _split(keys))


def key_problems(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(id, what is wrong) of every mistake in a person's keys."""
    known = {key.id: key for key in ALL_KEYS}
    good: dict[str, str] = {}
    for name, keys in given.items():
        if wrong := _wrong(name, keys, known):
            yield name, wrong
        else:
            good[name] = normal(keys)
    yield from _clashes(good)


def _wrong(name: str, keys: str, known: Mapping[str, Key]) -> str:
    if name not in known:
        close = nearest(name, list(known))
        return f'unknown id; did you mean "{close}"?' if close else "unknown id; hilserl-tui keys lists them"
    if name in FIXED:
        return f"cannot be changed: {FIXED[name]}"
    if not _split(keys):
        return "must have a key: there is no run without a way to stop it" if name in NEEDED else ""
    for key in _split(keys):
        bare = key[len(_modifiers(key)) :]
        if len(bare) != 1 and bare not in _NAMED and not _by_unicode(bare):
            close = nearest(bare, sorted(_NAMED))
            return f'"{key}" is no key' + (f'; did you mean "{_modifiers(key)}{close}"?' if close else "")
    return ""


def _clashes(good: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys that would mean two things on the same screen; those of a screen may stand before the general ones."""
    screens = {key.id: "" if key in KEYS else key.group.value for key in ALL_KEYS}
    owners: dict[str, list[str]] = {}
    for key in ALL_KEYS:
        for name in good.get(key.id, key.keys).split(","):
            owners.setdefault(name, []).append(key.id)
    stops = {"stop", "stop-always"}
    for name, ids in owners.items():
        for one in ids:
            others = [other for other in ids if other != one and _meet(screens, one, other, stops)]
            if one in good and name and others:
                yield one, f'"{name}" is the key of {" and ".join(others)} too'


def _meet(screens: Mapping[str, str], one: str, other: str, stops: set[str]) -> bool:
    return screens[one] == screens[other] or one in stops or other in stops


def _split(keys: str) -> list[str]:
    """Comma is what stands between keys, and a key itself where it stands alone."""
    if keys.strip() == ",":
        return [","]
    return [key.strip() or key for key in keys.split(",") if key.strip() or key == " "]


def _modifiers(key: str) -> str:
    found = _MODIFIERS.match(key)
    assert found is not None  # it may be empty
    return found.group() if len(found.group()) < len(key) else ""


def _by_unicode(name: str) -> bool:
    """Whether Textual makes this name of some character, such as `question_mark`."""
    if name in _SHORTER.values():
        return True
    for words in (
        name.replace("_", " "),
        name.replace("_", "-"),
        name.replace("_", " ").replace(" ", "-", 1),
    ):
        try:
            return bool(unicodedata.lookup(words.upper()))
        except KeyError:
            continue
    return False


def _name(key: str) -> str:
    modifiers = _modifiers(key)
    bare = key[len(modifiers) :]
    if len(bare) == 1 and not bare.isalnum():
        bare = "space" if bare == " " else unicodedata.name(bare).lower().replace("-", "_").replace(" ", "_")
    return modifiers + _SHORTER.get(bare, bare)
