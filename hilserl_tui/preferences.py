"""Preferences: a person's own keys, way of driving by them, theme and bell, from a file beside their other settings.

    jog = "step"                   # hold, step
    theme = "light"                # dark, light, safe (for colour blindness)
    bell = ["success", "stop"]     # success, failure, stop

    [keys]                         # by id: `hilserl-tui keys` lists them
    success = "k"
    evaluate = ""                  # no key; the palette still has it

Mistakes are told as those of a configuration: file, line, key, the nearest right one; nothing is opened.
"""

from pathlib import Path
from typing import Literal

import msgspec

from hilserl_tui.preferences_path import preferences_path
from workers.config.load import parse_section, read_text
from workers.config.values import Problems, Section


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
