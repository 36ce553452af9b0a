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
        help="Policy to try: a checkpoint's step, 'best', or the folder of a checkpoint, a run or an exported policy. "
        "Default: from the file, else the newest of the run.",
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
            help="A second policy to try in turns with the first, from the same start positions.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Trials of each policy. Default: from the file.", show_default=False),
    ] = None,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Continue the newest evaluation of the run that was cut off."),
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the run whose policy is tried. Default: from the file.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the start positions. Default: from the file.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Wait for the start key of a console.")] = False,
    arm: Annotated[
        bool,
        typer.Option("--arm", help="Let a real arm move at once, without ctrl+e y. Look at the arm first."),
    ] = False,
) -> None:
    """Let a policy drive alone, and report how often it succeeds. Nothing is learned from it.

    In the simulator the task judges; on a real arm a person at a console or a reward classifier does. The trials,
    their pictures and a page for the browser are kept in RUN/evaluations.
    """
    from workers.config.overrides import Overrides
    from workers.station.main import run_station

    if go_on and seed is not None:
        raise typer.BadParameter(
            "--continue keeps the start positions that the evaluation began with: leave --seed out"
        )
    overrides = Overrides("evaluate", checkpoint=checkpoint, against=against, trials=trials, go_on=go_on)

    def run() -> int:
        return asyncio.run(
            run_station(config, name=name, seed=seed, serve=serve, overrides=overrides, confirmed=arm)
        )

    run_or_refuse(run)
