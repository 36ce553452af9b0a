"""hilserl-tui: the command line of the console. Textual is imported only where a screen is opened."""

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hilserl_tui.launch import Launch, LaunchError, ensure_station, gone_within
from workers.config import ConfigError, load
from workers.model.places import StationLock, live_runs, read_lock

if TYPE_CHECKING:
    from hilserl_tui.client import StationClient

REFUSED = 2  # exit code of every "no": bad arguments, bad files, nothing to attach to
DOWN_WITHIN_S = 15.0


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train a robot arm with a human in the loop, from the terminal.\n\n"
    "hilserl-tui CONFIG opens the console on the run that CONFIG describes.",
)

RunName = Annotated[
    str, typer.Argument(help="Run: its name or its directory; may be left out when one is alive.")
]


@app.command("open")
def open_run(
    config: Annotated[Path | None, typer.Argument(help="Configuration, a TOML file.")] = None,
    start: Annotated[bool, typer.Option("--start", help="Begin the run at once and show Train.")] = False,
) -> None:
    """Start the station of CONFIG where it is absent, and attach (the default command)."""
    if config is None:
        if live_runs():
            return attach("")
        _refuse(
            "no configuration was named and no run is alive",
            "a run is described by a TOML file",
            "hilserl-tui configs/sim_pick_lift.toml",
        )
    try:
        run_dir = load(config).run_dir
        _need_terminal()
        launch = ensure_station(config, run_dir)
    except (ConfigError, LaunchError) as error:
        _say_and_leave(str(error))
    _live(launch, start)


@app.command("attach")
def attach(run: RunName = "") -> None:
    """Attach to a run that is alive."""
    lock = _find(run)
    _need_terminal()
    _live(Launch(Path(lock.config_path).parent, Path(lock.socket), None), start=False)


@app.command("down")
def down(run: RunName = "") -> None:
    """Stop a run: the arm parks, data is saved, every worker ends."""
    from hilserl_tui.ask import ask_to_end

    lock = _find(run)
    if not asyncio.run(ask_to_end(lock)):
        os.kill(lock.pid, signal.SIGTERM)
    if gone_within(lock.pid, DOWN_WITHIN_S):
        typer.echo(f"{lock.run} is down")
        return
    _refuse(
        f"{lock.run} has not ended after {DOWN_WITHIN_S:.0f} s (station pid {lock.pid})",
        "it may still be saving, or it hangs",
        f"look at `hilserl-tui status` again; if it stays, kill {lock.pid} and its workers end by themselves",
    )


@app.command("status")
def status() -> None:
    """List the runs that are alive and what they do."""
    from hilserl_tui.ask import describe

    locks = live_runs()
    if not locks:
        typer.echo("no run is alive")
    for lock in locks:
        typer.echo(asyncio.run(describe(lock)))


@app.command("doctor")
def doctor(
    directory: Annotated[Path, typer.Option(help="Where runs will be kept.")] = Path("runs"),
) -> None:
    """Check this machine: Python, disk, terminal, rendering."""
    from hilserl_tui.doctor import checks

    well = True
    for check in checks(directory):
        well = well and check.ok is not False
        shape = {True: "●", None: "◐", False: "✗"}[check.ok]
        typer.echo(f"{shape} {check.name:<17} {check.found}")
        if check.ok is not True:
            typer.echo(f"    why         {check.why}")
            typer.echo(f"    what to do  {check.do}")
    if not well:
        raise typer.Exit(1)


@app.command("replay-run")
def replay_run(
    run: Annotated[Path, typer.Argument(help="Run directory, or its events file.")],
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Times as fast as it was.")] = 1.0,
) -> None:
    """Show a recorded run in the console."""
    from hilserl_tui.recording import RecordedClient, RecordingError, events_file, read_events

    try:
        events = read_events(events_file(run))
    except RecordingError as error:
        _say_and_leave(str(error))
    _need_terminal()
    _show(RecordedClient(events, speed), start=False, launch=None)


def _live(launch: Launch, start: bool) -> None:
    from hilserl_tui.client import LiveClient

    _show(LiveClient(launch.socket), start, launch)


def _show(client: "StationClient", start: bool, launch: Launch | None) -> NoReturn:
    """Open the screen; the process ends with the app's own exit code."""
    os.environ.setdefault("TEXTUAL_FPS", "30")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    gc.disable()  # importing makes no garbage worth looking for: a tenth of the time to the first paint
    from hilserl_tui.app import Console

    gc.freeze()
    gc.enable()
    console = Console(client, start_run=start, launch_failed=launch.failed if launch else lambda: None)
    console.run()
    if console.parting:
        typer.echo(console.parting, err=True)
    sys.exit(console.return_code or 0)  # a panicking Textual app returns as if all were well


def _find(run: str) -> StationLock:
    """The station of a live run, by name or directory; refuses when there is none or more than one fits."""
    if run and (lock := read_lock(Path(run))) is not None:
        return lock
    alive = live_runs()
    fitting = [lock for lock in alive if run in ("", lock.run)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(lock.run for lock in alive) or "none"
    if fitting:
        _refuse(f"{len(fitting)} runs are alive: {names}", "one must be meant", "name it, or its directory")
    what = f"no run {run!r} is alive" if run else "no run is alive"
    _refuse(what, f"alive now: {names}", "start one with hilserl-tui CONFIG")


def _refuse(what: str, why: str, do: str) -> NoReturn:
    _say_and_leave(f"{what}\nwhy: {why}\nwhat to do: {do}")


def _say_and_leave(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(REFUSED)


def _need_terminal() -> None:
    """The console reads keys from standard input and draws on standard error."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        _refuse(
            "the console needs a terminal",
            "standard input or standard error is a file or a pipe",
            "run it in a terminal, or without a screen: hilserl-worker station --config CONFIG",
        )


def with_command(arguments: list[str]) -> list[str]:
    """`my.toml --start` is `open my.toml --start`: the command may be left out."""
    names = {command.name for command in app.registered_commands}
    if arguments and arguments[0] in {*names, "--help"}:
        return arguments
    return ["open", *arguments]


def main() -> None:
    """Entry point of the `hilserl-tui` command."""
    app(with_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
