"""How the command of a station ends: with its exit code, or with the words of a refusal."""

import logging
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

EXIT_USAGE = 2


def run_or_refuse(run: Callable[[], int]) -> NoReturn:
    """End with the exit code of `run`, or with 2 and the words of a refusal."""
    from workers.station.opening import StationRefused  # what it brings is not needed to print a help text

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        code = run()
    except StationRefused as refused:
        typer.echo(str(refused), err=True)
        code = EXIT_USAGE
    raise typer.Exit(code)
