"""hilserl-worker: tools for the person's device, in a terminal."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from workers.runtime.terminal import Line, Picture

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


def forward_gamepad(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the robot PC receives it.")],
    pin: Annotated[
        str | None,
        typer.Option(help="Fingerprint of its certificate: join first, with the token on standard input."),
    ] = None,
    device: Device = None,
    mapping: Annotated[str | None, typer.Option(help="Name of a mapping, or a TOML file.")] = None,
    deadzone: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of a stick's way that moves nothing.")
    ] = 0.1,
    hold: Annotated[
        bool, typer.Option("--hold/--toggle", help="Hold the trigger to drive, or press it to take and give.")
    ] = True,
) -> None:
    """Drive the arm with the gamepad of this computer, over the network. Ctrl-C leaves, and lets go of the arm."""
    from workers.config import TeleopConfig
    from workers.teleop.forwarding import sender

    teleop = TeleopConfig(
        type="gamepad", device=device, mapping=mapping, deadzone=deadzone, hold_to_intervene=hold
    )
    # What the reader of the pad says at length, such as the rule that allows it to be opened, above the line.
    logging.basicConfig(level=logging.WARNING, format="\r\x1b[K%(message)s", stream=sys.stderr)
    line = Line()
    try:
        if pin is not None:
            typer.echo(sender.joined(address, pin, sys.stdin.readline().strip()))
        asyncio.run(sender.forward(address, teleop, line.show))
    except sender.ForwardRefused as refused:
        typer.echo(f"\n{refused}", err=True)
        raise typer.Exit(EXIT_REFUSED) from refused
    except KeyboardInterrupt:
        typer.echo("\nthe pad is let go")


def invite_gamepad(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run that is going on here.")],
    name: Annotated[str | None, typer.Option(help="Name of the run; default from the file.")] = None,
) -> None:
    """Print a line with which another computer's gamepad joins this run, good once and for ten minutes."""
    from workers.station.inviting import invitation_to_forward
    from workers.station.opening import StationRefused

    try:
        typer.echo(invitation_to_forward(config, name), nl=False)
    except StationRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_REFUSED) from refused
