"""Where a person's preferences are; apart from `preferences`, since most people have none and wait for the screen."""

import os
from pathlib import Path

NAME = "hilserl-tui/console.toml"


def preferences_path() -> Path:
    """Where they are looked for: below $XDG_CONFIG_HOME, or ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / NAME


def shown_path() -> str:
    """That place for people."""
    path, home = str(preferences_path()), str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path
