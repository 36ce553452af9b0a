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
    typer.Option(help='Gamepad to use, as "vendor:product" or serial number. Default: the first found.'),
]


def map_gamepad(device: Device = None) -> None:
    """Make a mapping for a gamepad that has none. It takes a minute of moving one control after another."""
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
        str | None,
        typer.Option(help="Name of a mapping, or its TOML file. Default: the one that fits the gamepad."),
    ] = None,
) -> None:
    """Show live what a gamepad sends: sticks, buttons, bytes, and what the arm would do."""
    from workers.teleop.gamepad import tools

    picture = Picture()
    try:
        with tools.opened(device) as pad, tools.terminal_keys() as keys:
            tools.show_gamepad(pad, tools.mapping_of(pad, mapping), keys, picture.draw)
    except tools.ToolRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_REFUSED) from refused


def forward_gamepad(
    address: Annotated[
        str, typer.Argument(metavar="HOST:PORT", help="Address at which the robot PC receives the gamepad.")
    ],
    pin: Annotated[
        str | None,
        typer.Option(
            help="Fingerprint of the robot PC's certificate. Joins first, with the token from standard input."
        ),
    ] = None,
    device: Device = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="Name of a mapping, or its TOML file. Default: the one that fits the gamepad."),
    ] = None,
    deadzone: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.5, help="Share of a stick's travel, from the middle, that moves nothing."
        ),
    ] = 0.1,
    hold: Annotated[
        bool,
        typer.Option(
            "--hold/--toggle", help="Hold the trigger to have the arm, or press it to take and to give back."
        ),
    ] = True,
) -> None:
    """Drive the arm of another computer with the gamepad of this one. Ctrl-C ends it and gives the arm back."""
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
        typer.echo("\nthe gamepad no longer drives the arm")


def invite_gamepad(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run that is alive here.")],
    name: Annotated[str | None, typer.Option(help="Name of the run. Default: from the file.")] = None,
) -> None:
    """Print a line with which the gamepad of another computer joins this run. It is good once, for ten minutes."""
    from workers.station.inviting import invitation_to_forward
    from workers.station.opening import StationRefused

    try:
        typer.echo(invitation_to_forward(config, name), nl=False)
    except StationRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_REFUSED) from refused
