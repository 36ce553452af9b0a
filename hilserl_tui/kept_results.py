"""The results of evaluations that a run has kept, as lines for a terminal."""

from collections.abc import Iterator
from pathlib import Path

import typer

from workers.config import EXIT_CODE, ConfigError, load
from workers.config.evaluation import evaluated_run
from workers.model.evaluation_figures import line
from workers.model.evaluation_files import REPORT, folders, read_result


def kept(config: Path) -> Iterator[str]:
    """Two lines for each result, newest first: how it went, and where it lies. Raises typer.Exit."""
    try:
        run_dir = evaluated_run(load(config).run_dir)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    found = folders(run_dir)
    if not found:
        yield f"nothing was evaluated in {run_dir} yet: hilserl-tui evaluate {config}"
    for folder in found:
        try:
            yield line(read_result(folder))
        except (ValueError, OSError) as error:
            yield str(error)
        yield f"    {folder / REPORT}"
