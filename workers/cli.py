"""hilserl-worker: the processes behind the console, headless."""

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from workers.dataset_commands import app as dataset_commands
from workers.export_commands import export_policy

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
EXIT_USAGE = 2


@app.callback()
def root() -> None:
    """Headless workers and jobs of hilserl-tui."""


RunName = Annotated[str | None, typer.Option(help="Name of the run (its directory below run.directory).")]
Seed = Annotated[int | None, typer.Option(help="Seed of the run; default from the file.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint; refuse when there is none.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Move checkpoints aside and learn anew, from all that was recorded.")
]
Directory = Annotated[
    str | None, typer.Option(help="Folder that holds all runs; default from the file.", show_default=False)
]


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
    name: RunName = None,
    seed: Seed = None,
    serve: Annotated[bool, typer.Option("--serve", help="Wait for a console's start key.")] = False,
    resume: Resume = False,
    fresh: Fresh = False,
) -> None:
    """Run the workers of a training run and print its progress.

    Where policy.actor_learner_config.learner_host names one, the learner is elsewhere and a link takes its place.
    """
    from workers.station.main import run_station
    from workers.station.opening import beginning_of

    def run() -> int:
        return asyncio.run(
            run_station(
                config,
                operator=operator,
                until_success=until_success,
                name=name,
                seed=seed,
                serve=serve,
                beginning=beginning_of(resume, fresh),
            )
        )

    _run_or_refuse(run)


@app.command()
def learner(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run, the same as on the robot PC.")],
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS[:PORT]",
            help="Where robot PCs reach it, like 0.0.0.0:50051; default 127.0.0.1 and learner_port of the file.",
            show_default=False,
        ),
    ] = None,
    resume: Resume = False,
    fresh: Fresh = False,
    name: RunName = None,
    seed: Seed = None,
    directory: Directory = None,
) -> None:
    """Learn from robots elsewhere: take in what they send over TLS, train, and serve policies to them.

    It prints a line with which a robot PC joins, good once and for ten minutes; `hilserl-worker invite`, or
    the signal USR1, makes another. With neither --resume nor --fresh it goes on where it can, else begins.
    """
    from workers.station.opening import beginning_of
    from workers.station.serving import run_learner

    def run() -> int:
        return asyncio.run(
            run_learner(
                config,
                listen=listen,
                beginning=beginning_of(resume, fresh),
                name=name,
                seed=seed,
                directory=directory,
            )
        )

    _run_or_refuse(run)


@app.command()
def invite(
    config: Annotated[Path, typer.Option(help="TOML configuration that the learner was started with.")],
    name: RunName = None,
    directory: Directory = None,
) -> None:
    """Print a new line with which a robot PC joins the learner that runs here."""
    from workers.station.serving import invite as invited

    def run() -> int:
        typer.echo(invited(config, name, directory), nl=False)
        return 0

    _run_or_refuse(run)


@app.command()
def join(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the learner listens.")],
    pin: Annotated[str, typer.Option(help="Fingerprint of its certificate, from the join line.")],
) -> None:
    """Join a learner; the token of the join line is read from standard input, where no process list shows it."""
    from workers.station.joining import joined

    _run_or_refuse(lambda: joined(address, pin, sys.stdin.readline().strip()))


def _run_or_refuse(run: Callable[[], int]) -> NoReturn:
    """End with the exit code of `run`, or with 2 and the words of a refusal."""
    from workers.station.opening import StationRefused

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        code = run()
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


app.command("export-policy")(export_policy)
app.add_typer(dataset_commands, name="dataset")


def main() -> None:
    """Entry point of the `hilserl-worker` command."""
    app()


if __name__ == "__main__":
    main()
