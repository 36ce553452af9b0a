"""hilserl-worker doctor: what the console's doctor cannot look at itself, as lines of JSON."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer


def doctor(
    config: Annotated[
        Path | None, typer.Option(help="TOML configuration whose needs are checked.", show_default=False)
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="Folder where runs are kept. Default: from the configuration.", show_default=False),
    ] = None,
) -> None:
    """Check devices, disk, memory, GPU, rendering and link, and print one finding a line as JSON."""
    from workers.config import EXIT_CODE, ConfigError, load
    from workers.doctor.examine import examined

    try:
        loaded = None if config is None else load(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    folder = directory or (Path("runs") if loaded is None else Path(loaded.run.directory))
    for check in examined(folder, loaded):
        sys.stdout.write(msgspec.json.encode(check).decode() + "\n")
        sys.stdout.flush()
