"""hilserl-worker evaluate: trials of a policy alone, or of two that take turns, without a screen."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from workers.station.refusing import run_or_refuse

Policy = Annotated[
    str | None,
    typer.Option(
        metavar="STEP|best|FOLDER",
        help="What is tried: the step of a checkpoint, 'best', the folder of a checkpoint, of a run or of an exported "
        "policy; default from the file, where none is the newest of the run.",
        show_default=False,
    ),
]


def evaluate(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run whose policy is tried.")],
    checkpoint: Policy = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="STEP|best|FOLDER",
            help="A second policy that takes turns with it, from the same starts.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Trials of each policy; default from the file.", show_default=False),
    ] = None,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Go on with the newest evaluation of the run that was cut off."),
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the run whose policy is tried.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the starts; default from the file.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Wait for a console's start key.")] = False,
    arm: Annotated[
        bool,
        typer.Option(
            "--arm", help="A real arm may move at once: it was looked at, and nobody is in its way."
        ),
    ] = False,
) -> None:
    """Try a policy alone, deterministic, and say how often it succeeds; nothing is learned from it.

    In the simulator the task judges, on a real arm a person at a console or a reward classifier. The trials, their
    pictures and a page for a browser are kept in RUN/evaluations.
    """
    from workers.config.overrides import Overrides
    from workers.station.main import run_station

    if go_on and seed is not None:
        raise typer.BadParameter("--continue goes on with the starts that it began with: leave --seed out")
    overrides = Overrides("evaluate", checkpoint=checkpoint, against=against, trials=trials, go_on=go_on)

    def run() -> int:
        return asyncio.run(
            run_station(config, name=name, seed=seed, serve=serve, overrides=overrides, confirmed=arm)
        )

    run_or_refuse(run)
