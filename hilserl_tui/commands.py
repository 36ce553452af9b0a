"""The commands of `hilserl-tui`, and their help."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from hilserl_tui import config_commands, opening
from hilserl_tui.finding import find
from hilserl_tui.launch import gone_within
from workers.config import EXIT_CODE, ConfigError, load
from workers.config.load import read_text
from workers.config.overrides import Overrides
from workers.model.places import live_runs

DOWN_WITHIN_S = 15.0
STARTS_WITHIN_S = 1.5  # until a station that was just started can be found

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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint; refuse when there is none.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Move checkpoints aside and learn anew, from all that was recorded."),
    ] = False,
) -> None:
    """Start the station of CONFIG where it is absent, and attach (the default command)."""
    wishes = [flag for flag, given in (("--resume", resume), ("--fresh", fresh)) if given]
    if config is None and not wishes and live_runs():
        attach("")
    else:
        opening.open_run(config, start, wishes)


@app.command("record")
def record(
    config: Annotated[Path, typer.Argument(help="Configuration, a TOML file.")],
    root: Annotated[str | None, typer.Option(help="Folder of the dataset; default from the file.")] = None,
    repo_id: Annotated[str | None, typer.Option(help="Its name on the hub; default from the file.")] = None,
    episodes: Annotated[int | None, typer.Option(min=1, help="How many; default from the file.")] = None,
    push: Annotated[bool | None, typer.Option("--push/--no-push", help="Upload at the end.")] = None,
) -> None:
    """Record demonstrations as a LeRobotDataset; one that exists is continued."""
    opening.open_run(config, False, overrides=Overrides("record", root, repo_id, episodes, None, push))


@app.command("replay")
def replay(
    config: Annotated[Path, typer.Argument(help="Configuration, a TOML file.")],
    episode: Annotated[int, typer.Argument(min=0, help="Which episode of the dataset.")],
    root: Annotated[str | None, typer.Option(help="Folder of the dataset; default from the file.")] = None,
    repo_id: Annotated[str | None, typer.Option(help="Its name on the hub; default from the file.")] = None,
) -> None:
    """Drive the arm through a recorded episode again."""
    opening.open_run(config, False, overrides=Overrides("replay", root, repo_id, None, episode))


@app.command("find-limits")
def find_limits(
    config: Annotated[Path, typer.Argument(help="Configuration whose workspace is looked for, a TOML file.")],
    operator: Annotated[
        str, typer.Option(help="Who drives: 'person', or 'scripted' (simulator only) until you take over.")
    ] = "person",
    warmup_s: Annotated[
        float, typer.Option(min=0.0, help="Seconds of driving in which nothing counts yet.")
    ] = 5.0,
    duration_s: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds of driving that count; 0: until you say that you are done."),
    ] = 0.0,
    margin_m: Annotated[
        float, typer.Option(min=0.0, max=0.1, help="Metres by which the bounds are wider than what was seen.")
    ] = 0.0,
    floor_m: Annotated[
        float,
        typer.Option(
            min=-0.5, max=0.5, help="Height below which neither the tool nor the bounds go; the table is 0."
        ),
    ] = 0.01,
) -> None:
    """Find a task's workspace: drive the arm through the space it needs, look at it, write it into CONFIG."""
    options = [f"--operator={operator}", f"--warmup-s={warmup_s}", f"--duration-s={duration_s}"]
    opening.find_limits(config, [*options, f"--margin-m={margin_m}", f"--floor-m={floor_m}"])


@app.command("evaluate")
def evaluate(
    config: Annotated[
        Path, typer.Argument(help="Configuration of the run whose policy is tried, a TOML file.")
    ],
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="STEP|best|FOLDER", help="What is tried; the newest of the run, if nothing is named."
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="STEP|best|FOLDER", help="A second policy, in turns with it.")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials of each; default from the file.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the starts; default from the file.")] = None,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Go on with the newest evaluation of the run that was cut off."),
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="List the results that the run has kept.")
    ] = False,
) -> None:
    """Try a policy alone: how often it succeeds, how fast; or two of them in turns."""
    if only_list:
        from hilserl_tui.kept_results import kept

        for told in kept(config):
            typer.echo(told)
    else:
        if go_on and seed is not None:
            raise typer.BadParameter(
                "--continue goes on with the starts that it began with: leave --seed out"
            )
        wanted = Overrides("evaluate", checkpoint=checkpoint, against=against, trials=trials, go_on=go_on)
        opening.evaluate(config, wanted, seed)


@app.command("crop")
def crop(
    config: Annotated[
        Path, typer.Argument(help="Configuration, a TOML file; the crops are written into it.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|ID", help="Look at this dataset's pictures in place of the cameras."),
    ] = None,
) -> None:
    """Choose the part of the pictures that the policy sees, on live cameras or on a dataset."""
    opening.crop(config, dataset)


@app.command("episodes")
def episodes(
    dataset: Annotated[
        str, typer.Argument(metavar="FOLDER|ID", help="Dataset: its folder, or its id below LeRobot's.")
    ],
) -> None:
    """Look through a dataset: play its episodes, mend their labels, delete bad ones."""
    opening.episodes(dataset)


@app.command("arm")
def arm(
    config: Annotated[
        Path | None, typer.Argument(help="Configuration whose arm it is, a TOML file.", show_default=False)
    ] = None,
    port: Annotated[str, typer.Option(help="Serial port, where no configuration names one.")] = "",
    arm_id: Annotated[str, typer.Option("--id", help="Name of the arm's calibration.")] = "",
) -> None:
    """Bring a real arm to life: find its port, scan it, give its servos ids, calibrate it."""
    from hilserl_tui.arm_opening import open_arm

    open_arm(config, port, arm_id)


@app.command("attach")
def attach(run: RunName = "") -> None:
    """Attach to a run that is alive."""
    lock = find(run)
    opening.attach(Path(lock.socket))


@app.command("down")
def down(run: RunName = "") -> None:
    """Stop a run: the arm parks, data is saved, every worker ends."""
    from hilserl_tui.ask import ask_to_end

    lock = find(run, within_s=STARTS_WITHIN_S)
    if not asyncio.run(ask_to_end(lock)):
        os.kill(lock.pid, signal.SIGTERM)
    if gone_within(lock, DOWN_WITHIN_S):
        typer.echo(f"{lock.run} is down")
        return
    opening.refuse(
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


@app.command("reload")
def reload(
    run: RunName = "",
    yes: Annotated[bool, typer.Option("--yes", help="Change what may change, without asking.")] = False,
) -> None:
    """Read the configuration of a run again: show what differs, and change what may while it goes on."""
    from hilserl_tui.reloading import reload as reloaded

    raise typer.Exit(reloaded(find(run), yes))


@app.command("join")
def join(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HOST:PORT", help="Where the learner listens; the whole join line in quotes does too."
        ),
    ] = None,
    pin: Annotated[str | None, typer.Option(help="Fingerprint of its certificate.")] = None,
    token: Annotated[
        str | None, typer.Option(help="Token of the join line: good once, for ten minutes.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration to set learner_host and learner_port in; comments stay."),
    ] = None,
) -> None:
    """Join a learner on another machine, with the line it prints; without arguments, asks for the line.

    The line that is asked for stays out of the shell's history.
    """
    from hilserl_tui import joining

    given = [*(words or ()), *(("--pin", pin) if pin else ()), *(("--token", token) if token else ())]
    try:
        text = " ".join(given) or typer.prompt("paste the learner's join line", prompt_suffix="\n")
        line = joining.parse(text)
        if config is not None:
            read_text(config)  # before the token is used up
        typer.echo(joining.join(line))
        if config is not None:
            joining.write_into(config, line)
            typer.echo(f"{config} names it now; the next run of it learns there")
        else:
            typer.echo(f"set in your configuration, or give it as --config:\n\n{joining.toml_lines(line)}")
    except (joining.NoJoin, ConfigError) as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_CODE) from refused


@app.command("forward-gamepad")
def forward_gamepad(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the robot PC receives it.")],
    pin: Annotated[
        str | None, typer.Option(help="Fingerprint of its certificate, from the line that it prints.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Token of that line: good once, for ten minutes.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- OPTIONS", help="For `hilserl-worker forward-gamepad`, such as --toggle."),
    ] = None,
) -> None:
    """Drive an arm elsewhere with the gamepad of this computer.

    The first time with the line that `hilserl-worker invite-gamepad` prints on the robot PC, later with its HOST:PORT.
    """
    from hilserl_tui.forwarding import forward

    raise typer.Exit(forward(address, pin, token, options or []))


@app.command("keys")
def keys() -> None:
    """List every key by its id, by which a file of your own may change it."""
    from hilserl_tui.preferences import preferences_path
    from hilserl_tui.remapping import ALL_KEYS

    for key in ALL_KEYS:
        typer.echo(f"{key.id:<18} {key.keys:<22} {key.help}")
    typer.echo(f'\nin {preferences_path()}:\n\n[keys]\nsuccess = "k"')


@app.command("doctor")
def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="Configuration whose needs are looked at.", show_default=False)
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="Where runs will be kept; default from the configuration.", show_default=False),
    ] = None,
) -> None:
    """Check this machine: Python, disk, terminal, devices, memory, GPU, rendering, and the link to a learner."""
    from hilserl_tui.doctor import SHAPES, checks

    try:
        folder = directory or Path("runs" if config is None else load(config).run.directory)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    well = True
    for check in checks(folder, config):
        well = well and check.ok is not False
        typer.echo(f"{SHAPES[check.ok]} {check.name:<17} {check.found}")
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
    opening.replay(run, speed)


app.command("import-lerobot")(config_commands.import_lerobot)
app.add_typer(config_commands.config, name="config")


def with_command(arguments: list[str]) -> list[str]:
    """`my.toml --start` is `open my.toml --start`: the command may be left out."""
    names = {command.name for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    if arguments and arguments[0] in {*names, "--help"}:
        return arguments
    if arguments and " join " in f" {arguments[0]}":  # the learner's line, pasted in quotes
        return ["join", *arguments]
    return ["open", *arguments]
