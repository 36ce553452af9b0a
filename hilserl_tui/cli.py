"""hilserl-tui: the entry point of the console."""

import gc
import sys
from pathlib import Path

from hilserl_tui.guarding import guard

SCREENS = ("open", "attach", "record", "replay", "find-limits", "crop", "episodes", "arm", "replay-run")
"""Commands that open the console."""
UNUSED = ("ssl", "_hashlib")


def main() -> None:
    """Entry point of the `hilserl-tui` command."""
    # asyncio takes along what it finds of these: 4 MB and 8 ms for a library that the console never uses.
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]
    if not sys.argv[1:] or sys.argv[1] in SCREENS or sys.argv[1].endswith(".toml"):
        guard()  # before anything is imported: the parent that waits stays small
    match sys.argv[1:]:
        case [config] | [config, "--start"] | ["--start", config] if config.endswith(".toml"):
            # What people wait for does not wait for typer: it takes a third of the time to the first paint.
            gc.disable()  # until the first paint: what is made on the way there stays
            from hilserl_tui.opening import open_run

            open_run(Path(config), start="--start" in sys.argv)
        case ["attach"] | ["attach", _] if not any(one.startswith("-") for one in sys.argv[2:]):
            gc.disable()
            from hilserl_tui.finding import find
            from hilserl_tui.opening import attach

            attach(Path(find("".join(sys.argv[2:])).socket))
        case arguments:
            from hilserl_tui.commands import app, with_command

            app(with_command(arguments))


if __name__ == "__main__":
    main()
