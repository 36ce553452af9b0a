"""The commands around a configuration file: check it, explain its keys, bring it up to date, import LeRobot's."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from workers.config import EXIT_CODE, ConfigError
from workers.config.load import read_text

config = typer.Typer(no_args_is_help=True, help="Check, explain and convert configurations.")

File = Annotated[Path, typer.Argument(help="TOML configuration.")]


@config.command("check")
def check(file: File) -> None:
    """Say what is wrong with FILE, by line and key, or that it is fine. Nothing is started or moved."""
    command = [sys.executable, "-m", "workers.cli", "check", "--config", str(file)]
    raise typer.Exit(subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode)


@config.command("explain")
def explain(
    key: Annotated[
        str, typer.Argument(help="A key or section: its full path, its last part, or LeRobot's name of it.")
    ],
) -> None:
    """Say what KEY does, what it accepts, and its default."""
    from workers.config.explain import NoSuchKey
    from workers.config.explain import explain as explained

    try:
        typer.echo(explained(key))
    except NoSuchKey as error:
        _refuse(str(error))


@config.command("migrate")
def migrate(file: File) -> None:
    """Rewrite FILE for the current schema version. Comments stay, and the old file is kept beside it."""
    from workers.config.migrate import migrated
    from workers.config.rewrite import rewrite

    try:
        text = read_text(file)
        new = migrated(text, str(file))
    except ConfigError as error:
        _refuse(str(error))
    if new == text:
        typer.echo(f"{file} has the current schema version already: nothing to do")
        return
    try:
        backup = rewrite(file, text, new)
    except ConfigError as error:
        _refuse(str(error))
    typer.echo(f"{file} is up to date; the old file is kept as {backup}")


@config.command("schema")
def schema(
    output: Annotated[Path | None, typer.Option(help="File to write. Default: print it.")] = None,
) -> None:
    """Write the JSON Schema with which editors complete and check a configuration."""
    from workers.config.json_schema import text

    _give(text(), output)
    if output is not None:
        typer.echo(f"to use it, begin the configuration with this line: #:schema ./{output.name}")


@config.command("reference")
def reference(
    output: Annotated[Path | None, typer.Option(help="File to write. Default: print it.")] = None,
) -> None:
    """Write the Markdown page that describes every key."""
    from workers.config.reference import text

    _give(text(), output)


def _give(text: str, output: Path | None) -> None:
    """To a file where one is named, else to the screen."""
    if output is None:
        typer.echo(text, nl=False)
    else:
        _write(output, text)
        typer.echo(f"wrote {output}")


def import_lerobot(
    file: Annotated[Path, typer.Argument(help="LeRobot's configuration, whole or in part, as JSON.")],
    output: Annotated[
        Path | None, typer.Option(help="TOML file to write. Default: FILE with the ending .toml.")
    ] = None,
) -> None:
    """Turn a LeRobot configuration (env, train or classifier) into TOML, and say what became of each key."""
    from workers.config.dump import dump
    from workers.config.lerobot import import_lerobot as imported
    from workers.config.lerobot.report import report

    target = output or file.with_suffix(".toml")
    if target.exists():
        _refuse(f"{target} exists already: move it away, or name another file with --output")
    try:
        made = imported(read_text(file), str(file))
    except ConfigError as error:
        _refuse(str(error))
    _write(target, dump(made.config, f"Imported from LeRobot's {file.name}."))
    typer.echo(report(made.lines, made.base, made.remarks))
    typer.echo(f"Wrote {target}. Next: hilserl-tui config check {target}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _refuse(f"{path} cannot be written: {error.strerror}")


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_CODE)
