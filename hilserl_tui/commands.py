"""The commands of `hilserl-tui`, and their help."""

import asyncio
import difflib
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
    "`hilserl-tui CONFIG` opens the console on the run that CONFIG, a TOML file, describes. `hilserl-worker` does the "
    "same jobs without a screen.",
)

RunName = Annotated[
    str, typer.Argument(help="Name or directory of the run. Not needed when only one is alive.")
]


@app.command("open")
def open_run(
    config: Annotated[Path | None, typer.Argument(help="TOML configuration of the run.")] = None,
    start: Annotated[
        bool, typer.Option("--start", help="Start the run at once and show the Train screen.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue from the newest checkpoint. Refused when there is none."),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Set the checkpoints aside and learn anew from all that was recorded."),
    ] = False,
) -> None:
    """Open the console on the run of CONFIG, and start its workers if they are not running. The default command."""
    wishes = [flag for flag, given in (("--resume", resume), ("--fresh", fresh)) if given]
    if config is None and not wishes and live_runs():
        attach("")
    else:
        opening.open_run(config, start, wishes)


@app.command("record")
def record(
    config: Annotated[Path, typer.Argument(help="TOML configuration of the run.")],
    root: Annotated[str | None, typer.Option(help="Folder of the dataset. Default: from the file.")] = None,
    repo_id: Annotated[
        str | None, typer.Option(help="Name of the dataset on the hub, USER/NAME. Default: from the file.")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Number of episodes to record. Default: from the file.")
    ] = None,
    push: Annotated[
        bool | None,
        typer.Option(
            "--push/--no-push", help="Upload the dataset to the hub at the end.", show_default=False
        ),
    ] = None,
) -> None:
    """Record demonstrations as a LeRobotDataset. An existing dataset is continued."""
    opening.open_run(config, False, overrides=Overrides("record", root, repo_id, episodes, None, push))


@app.command("replay")
def replay(
    config: Annotated[Path, typer.Argument(help="TOML configuration of the run.")],
    episode: Annotated[int, typer.Argument(min=0, help="Number of the episode in the dataset, from 0.")],
    root: Annotated[str | None, typer.Option(help="Folder of the dataset. Default: from the file.")] = None,
    repo_id: Annotated[
        str | None, typer.Option(help="Name of the dataset on the hub, USER/NAME. Default: from the file.")
    ] = None,
) -> None:
    """Drive the arm through a recorded episode again, and say how far from the recording it went."""
    opening.open_run(config, False, overrides=Overrides("replay", root, repo_id, None, episode))


@app.command("find-limits")
def find_limits(
    config: Annotated[
        Path, typer.Argument(help="TOML configuration of the task; the bounds found are written into it.")
    ],
    operator: Annotated[
        str, typer.Option(help="Who drives: 'person', or 'scripted' (simulator only) until you take over.")
    ] = "person",
    warmup_s: Annotated[
        float, typer.Option(min=0.0, help="Seconds of driving before anything counts.")
    ] = 5.0,
    duration_s: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds of driving that count. 0: until you press the key for done."),
    ] = 0.0,
    margin_m: Annotated[
        float, typer.Option(min=0.0, max=0.1, help="Metres by which the bounds exceed where the tool was.")
    ] = 0.0,
    floor_m: Annotated[
        float,
        typer.Option(
            min=-0.5, max=0.5, help="Lowest height of the tool and of the bounds in metres. The table is 0."
        ),
    ] = 0.01,
) -> None:
    """Find the workspace of a task: drive the arm through the space it needs, then write the bounds into CONFIG."""
    options = [f"--operator={operator}", f"--warmup-s={warmup_s}", f"--duration-s={duration_s}"]
    opening.find_limits(config, [*options, f"--margin-m={margin_m}", f"--floor-m={floor_m}"])


@app.command("evaluate")
def evaluate(
    config: Annotated[Path, typer.Argument(help="TOML configuration of the run whose policy is tried.")],
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="STEP|best|FOLDER",
            help="Policy to try: a checkpoint's step, 'best', or a folder. Default: the newest of the run.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="STEP|best|FOLDER", help="A second policy to try in turns with the first."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials of each policy. Default: from the file.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the start positions. Default: from the file.")
    ] = None,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Continue the newest evaluation of the run that was cut off."),
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="List the results kept by the run, and open nothing.")
    ] = False,
) -> None:
    """Let a policy drive alone, and report how often and how fast it succeeds. Two policies can take turns."""
    if only_list:
        from hilserl_tui.kept_results import kept

        for told in kept(config):
            typer.echo(told)
    else:
        if go_on and seed is not None:
            raise typer.BadParameter(
                "--continue keeps the start positions that the evaluation began with: leave --seed out"
            )
        wanted = Overrides("evaluate", checkpoint=checkpoint, against=against, trials=trials, go_on=go_on)
        opening.evaluate(config, wanted, seed)


@app.command("crop")
def crop(
    config: Annotated[Path, typer.Argument(help="TOML configuration; the crops are written into it.")],
    dataset: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|ID", help="Take the pictures from this dataset instead of the cameras."),
    ] = None,
) -> None:
    """Choose the part of the pictures that the policy sees, on live cameras or on a dataset."""
    opening.crop(config, dataset)


@app.command("episodes")
def episodes(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER|ID", help="Folder of the dataset, or USER/NAME where it lies in LeRobot's cache."
        ),
    ],
) -> None:
    """Look through a dataset: play its episodes, correct their labels, delete bad ones."""
    opening.episodes(dataset)


@app.command("arm")
def arm(
    config: Annotated[
        Path | None, typer.Argument(help="TOML configuration that names the arm.", show_default=False)
    ] = None,
    port: Annotated[str, typer.Option(help="Serial port of the arm, if no configuration names it.")] = "",
    arm_id: Annotated[
        str, typer.Option("--id", help="Name of the arm's calibration, if no configuration names it.")
    ] = "",
) -> None:
    """Set up a real arm: find its port and cameras, scan it, give its servos ids, calibrate it."""
    from hilserl_tui.arm_opening import open_arm

    open_arm(config, port, arm_id)


@app.command("attach")
def attach(run: RunName = "") -> None:
    """Open the console on a run that is alive."""
    lock = find(run)
    opening.attach(Path(lock.socket))


@app.command("down")
def down(run: RunName = "") -> None:
    """Stop a run: the arm parks, data is saved, all its workers end."""
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
    """List the runs that are alive and what they are doing."""
    from hilserl_tui.ask import describe

    locks = live_runs()
    if not locks:
        typer.echo("no run is alive")
    for lock in locks:
        typer.echo(asyncio.run(describe(lock)))


@app.command("reload")
def reload(
    run: RunName = "",
    yes: Annotated[bool, typer.Option("--yes", help="Apply what may change without asking.")] = False,
) -> None:
    """Read the configuration of a run again: show what differs, and apply what may change while it goes on."""
    from hilserl_tui.reloading import reload as reloaded

    raise typer.Exit(reloaded(find(run), yes))


@app.command("join")
def join(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="HOST:PORT", help="Address of the learner, or the whole join line in quotes."),
    ] = None,
    pin: Annotated[
        str | None, typer.Option(help="Fingerprint of the learner's certificate, from the join line.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Token from the join line. It is good once, for ten minutes.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML configuration to write learner_host and learner_port into. Comments stay."),
    ] = None,
) -> None:
    """Join a learner on another machine with the line that it prints.

    Without arguments it asks for the line, which then stays out of the shell's history.
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
            typer.echo(f"{config} names the learner now; the next run with it learns there")
        else:
            typer.echo(
                f"put this into your configuration (--config FILE writes it):\n\n{joining.toml_lines(line)}"
            )
    except (joining.NoJoin, ConfigError) as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(EXIT_CODE) from refused


@app.command("forward-gamepad")
def forward_gamepad(
    address: Annotated[
        str, typer.Argument(metavar="HOST:PORT", help="Address at which the robot PC receives the gamepad.")
    ],
    pin: Annotated[
        str | None,
        typer.Option(help="Fingerprint of the robot PC's certificate, from the line that it prints."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Token from that line. It is good once, for ten minutes.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- OPTIONS", help="Options of `hilserl-worker forward-gamepad`, such as --toggle."
        ),
    ] = None,
) -> None:
    """Drive the arm of another computer with the gamepad of this one.

    The first time, run the line that `hilserl-worker invite-gamepad` prints on the robot PC. Later HOST:PORT is enough.
    """
    from hilserl_tui.forwarding import forward

    raise typer.Exit(forward(address, pin, token, options or []))


@app.command("keys")
def keys() -> None:
    """List every key with its id, and the file in which you may change it."""
    from hilserl_tui.preferences_path import preferences_path
    from hilserl_tui.remapping import ALL_KEYS

    for key in ALL_KEYS:
        typer.echo(f"{key.id:<18} {key.keys:<22} {key.help}")
    typer.echo(f'\nin {preferences_path()}:\n\n[keys]\nsuccess = "k"')


@app.command("doctor")
def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="TOML configuration whose needs are checked.", show_default=False)
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="Folder where runs are kept. Default: from the configuration.", show_default=False),
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
    run: Annotated[Path, typer.Argument(help="Directory of the run, or its events.jsonl.")],
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Speed, in times of the original.")] = 1.0,
) -> None:
    """Show a recorded run in the console. Nothing is started and no arm moves."""
    opening.replay(run, speed)


app.command("import-lerobot")(config_commands.import_lerobot)
app.add_typer(config_commands.config, name="config")


def with_command(arguments: list[str]) -> list[str]:
    """`my.toml --start` is `open my.toml --start`: the command may be left out."""
    names = {command.name or "" for command in app.registered_commands}
    names |= {group.name or "" for group in app.registered_groups}
    if arguments and arguments[0] in {*names, "--help"}:
        return arguments
    if arguments and " join " in f" {arguments[0]}":  # the learner's line, pasted in quotes
        return ["join", *arguments]
    if arguments and not (
        arguments[0].startswith("-") or Path(arguments[0]).suffix or Path(arguments[0]).exists()
    ):
        close = difflib.get_close_matches(arguments[0], names, n=1)
        opening.refuse(
            f"there is no command {arguments[0]}",
            "the first word is a command, or a TOML file to open",
            f"did you mean `hilserl-tui {close[0]}`?" if close else "see `hilserl-tui --help`",
        )
    return ["open", *arguments]
