"""hilserl-worker: tools for the person's device, in a terminal."""

import sys
from typing import Annotated

import typer

EXIT_REFUSED = 2
Device = Annotated[
    str | None,
    typer.Option(help='Which pad, as "vendor:product" or serial number; the first found without it.'),
]


def map_gamepad(device: Device = None) -> None:
    """Make a mapping for a gamepad that has none: a minute of pushing one control after another."""
    from workers.teleop.gamepad import tools

    try:
        with tools.opened(device) as pad, tools.terminal_keys() as keys:
            path = tools.map_gamepad(pad, keys, typer.echo)
    except tools.ToolRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_REFUSED) from refused
    typer.echo(f"written to {path}; it is used from now on. `hilserl-worker show-gamepad` tries it")


def show_gamepad(
    device: Device = None,
    mapping: Annotated[
        str | None, typer.Option(help="Name of a mapping, or a TOML file; the pad's own without it.")
    ] = None,
) -> None:
    """Show what a gamepad says: sticks, buttons, bytes, and what the arm would do."""
    from workers.teleop.gamepad import tools

    picture = Picture()
    try:
        with tools.opened(device) as pad, tools.terminal_keys() as keys:
            tools.show_gamepad(pad, tools.mapping_of(pad, mapping), keys, picture.draw)
    except tools.ToolRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_REFUSED) from refused


class Picture:
    """Text that is drawn over itself."""

    def __init__(self) -> None:
        self._lines = 0

    def draw(self, text: str) -> None:
        """Draw it in place of what was drawn before."""
        lines = text.split("\n")
        up = f"\x1b[{self._lines}F" if self._lines and sys.stdout.isatty() else ""
        body = "".join(f"{line}\x1b[K\n" if sys.stdout.isatty() else f"{line}\n" for line in lines)
        sys.stdout.write(up + body)
        sys.stdout.flush()
        self._lines = len(lines)
