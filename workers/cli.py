"""hilserl-worker: the processes behind the console, headless."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
EXIT_USAGE = 2


@app.callback()
def root() -> None:
    """Headless workers and jobs of hilserl-tui."""


@app.command()
def station(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run.")],
    operator: Annotated[
        str | None,
        typer.Option(help="Who teaches: 'scripted' (simulation only) or 'person'; default from the file."),
    ] = None,
    until_success: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="End when an evaluation reaches this autonomous success."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run (its directory below run.directory).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run; default from the file.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Wait for a console's start key.")] = False,
) -> None:
    """Run the workers of a training run and print its progress."""
    from workers.station.main import StationRefused, run_station

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        code = asyncio.run(
            run_station(
                config, operator=operator, until_success=until_success, name=name, seed=seed, serve=serve
            )
        )
    except StationRefused as refused:
        typer.echo(str(refused), err=True)
        code = EXIT_USAGE
    raise typer.Exit(code)


@app.command()
def check(
    config: Annotated[Path, typer.Option(help="TOML configuration.")],
) -> None:
    """Check a configuration without starting anything; exit code 2 when something is wrong with it."""
    from workers.config import EXIT_CODE, ConfigError
    from workers.station.check import checked

    try:
        summary = checked(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    typer.echo(f"{config} is fine: {summary}")


@app.command("show-pipeline")
def show_pipeline(
    config: Annotated[Path, typer.Option(help="TOML configuration.")],
) -> None:
    """Print every step of both pipelines with the shapes that go in and come out."""
    from workers.config import EXIT_CODE, ConfigError
    from workers.processors.describe import described
    from workers.station.check import examined

    try:
        _, pipelines = examined(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    typer.echo(described(pipelines))


def main() -> None:
    """Entry point of the `hilserl-worker` command."""
    app()


if __name__ == "__main__":
    main()
