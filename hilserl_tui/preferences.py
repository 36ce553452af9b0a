"""Preferences: a person's own keys, way of driving by them, theme and bell, from a file beside their other settings.

    jog = "step"                   # hold, step
    theme = "light"                # dark, light, safe (for colour blindness)
    bell = ["success", "stop"]     # success, failure, stop

    [keys]                         # by id: `hilserl-tui keys` lists them
    success = "k"
    evaluate = ""                  # no key; the palette still has it

Mistakes are told as those of a configuration: file, line, key, the nearest right one; nothing is opened.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec

from workers.config.load import parse_section, read_text
from workers.config.values import Problems, Section

NAME = "hilserl-tui/console.toml"
NO_KEY = "nothing"
"""A key that no keyboard has, for Textual, which takes "" for "as it was"."""


class Preferences(Section, frozen=True, kw_only=True):
    theme: Literal["dark", "light", "safe"] = "dark"
    """Colours; `safe` tells success and failure by blue and orange, on black."""
    jog: Literal["hold", "step"] = "hold"
    """Driving keys: `hold` moves the arm while a key is held, where the terminal tells when it is let go; `step` makes
    every press a bounded step, as in all other terminals."""
    bell: tuple[Literal["success", "failure", "stop"], ...] = ()
    """When the terminal's bell rings."""
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    """Id of an action -> its key, or several with commas between; "" for none."""

    def problems(self) -> Problems:
        if self.keys:
            from hilserl_tui.remapping import key_problems  # brings Textual's names of keys

            for name, text in key_problems(self.keys):
                yield ("keys", name), text


NO_PREFERENCES = Preferences()


def preferences_path() -> Path:
    """Where they are looked for: below $XDG_CONFIG_HOME, or ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / NAME


def shown_path() -> str:
    """That place for people."""
    path, home = str(preferences_path()), str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


def load_preferences(path: Path | None = None) -> Preferences:
    """Those of the file, or none where there is no file. Raises ConfigError."""
    path = path or preferences_path()
    if not path.exists():
        return NO_PREFERENCES
    text = read_text(path)
    found = parse_section(text, str(path), Preferences)
    return found if not found.keys else msgspec.structs.replace(found, keys=_normal(found.keys))


def _normal(keys: dict[str, str]) -> dict[str, str]:
    from hilserl_tui.remapping import normal

    return {name: normal(given) for name, given in keys.items()}
