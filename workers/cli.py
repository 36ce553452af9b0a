"""hilserl-worker: the processes behind the console, headless."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, cast

import typer

from workers.arm_commands import calibrate, find_port, scan_arm, setup_motors
from workers.camera_commands import emulate_camera, find_cameras
from workers.classifier_commands import export_classifier, train_classifier
from workers.compare_commands import compare_arms
from workers.crop_commands import crop, look
from workers.dataset_commands import app as dataset_commands
from workers.device_commands import forward_gamepad, invite_gamepad, map_gamepad, show_gamepad
from workers.doctor_commands import doctor
from workers.emulate_commands import emulate_arm
from workers.evaluate_commands import evaluate
from workers.export_commands import export_policy
from workers.runtime.terminal import IN_PANE
from workers.station.refusing import run_or_refuse

if TYPE_CHECKING:
    from workers.config.overrides import Overrides

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """The workers and jobs of hilserl-tui without a screen, and tools for arms, cameras, gamepads and datasets."""
    if IN_PANE:
        # Esc in the pane interrupts the tool. A console that a script runs in its background ignores interrupts, and
        # hands that down: the tool would go on.
        signal.signal(signal.SIGINT, signal.default_int_handler)


RunName = Annotated[str | None, typer.Option(help="Name of the run. Default: from the file.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the run. Default: from the file.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue from the newest checkpoint. Refused when there is none.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Set the checkpoints aside and learn anew from all that was recorded.")
]
Operator = Annotated[
    str | None,
    typer.Option(help="Who teaches: 'scripted' (simulator only) or 'person'. Default: from the file."),
]
Mode = Annotated[
    str | None,
    typer.Option(help="'record' or 'replay'. Default: from the file, else train.", show_default=False),
]
Root = Annotated[
    str | None, typer.Option(help="Folder of the dataset. Default: from the file.", show_default=False)
]
RepoId = Annotated[
    str | None,
    typer.Option(help="Dataset on the hub, USER/NAME. Default: from the file.", show_default=False),
]
Episodes = Annotated[
    int | None,
    typer.Option(min=1, help="Number of episodes to record. Default: from the file.", show_default=False),
]
Push = Annotated[
    bool | None,
    typer.Option("--push/--no-push", help="Upload the dataset to the hub at the end.", show_default=False),
]
Arm = Annotated[
    bool,
    typer.Option("--arm", help="Let a real arm move at once, without ctrl+e y. Look at the arm first."),
]
Directory = Annotated[
    str | None, typer.Option(help="Folder that holds all runs. Default: from the file.", show_default=False)
]


@app.command()
def station(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run.")],
    operator: Operator = None,
    until_success: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Share of successes in an evaluation that ends the run."),
    ] = None,
    name: RunName = None,
    seed: Seed = None,
    serve: Annotated[bool, typer.Option("--serve", help="Wait for the start key of a console.")] = False,
    resume: Resume = False,
    fresh: Fresh = False,
    mode: Mode = None,
    root: Root = None,
    repo_id: RepoId = None,
    episodes: Episodes = None,
    episode: Annotated[
        int | None,
        typer.Option(min=0, help="Episode to replay. Default: from the file.", show_default=False),
    ] = None,
    push: Push = None,
    arm: Arm = False,
) -> None:
    """Run what the file says, training unless it has a `mode`, without a screen, and print the progress.

    Where policy.actor_learner_config.learner_host names another machine, the learner runs there.
    """
    from workers.config.overrides import Overrides
    from workers.station.main import run_station
    from workers.station.opening import beginning_of

    if mode not in (None, "record", "replay"):
        raise typer.BadParameter(
            "must be 'record' or 'replay'; leave it out to do what the file says", param_hint="--mode"
        )
    overrides = Overrides(
        cast(Literal["record", "replay"] | None, mode), root, repo_id, episodes, episode, push
    )

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
                overrides=overrides,
                confirmed=arm,
            )
        )

    run_or_refuse(run)


@app.command("find-limits")
def find_limits(
    config: Annotated[
        Path, typer.Option(help="TOML configuration of the task; --write puts the bounds into it.")
    ],
    operator: Annotated[
        str | None,
        typer.Option(help="Who drives: 'scripted' (simulator only) or 'person'. Default: from the file."),
    ] = None,
    warmup_s: Annotated[
        float, typer.Option(min=0.0, help="Seconds of driving before anything counts.")
    ] = 5.0,
    duration_s: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Seconds of driving that count; 0: until a person ends it. Default: 30, or 0 with --serve.",
            show_default=False,
        ),
    ] = None,
    margin_m: Annotated[
        float, typer.Option(min=0.0, max=0.1, help="Metres by which the bounds exceed where the tool was.")
    ] = 0.0,
    floor_m: Annotated[
        float,
        typer.Option(
            min=-0.5, max=0.5, help="Lowest height of the tool and of the bounds in metres. The table is 0."
        ),
    ] = 0.01,
    write: Annotated[
        bool, typer.Option("--write/--print", help="Write the bounds into the file, or only print them.")
    ] = False,
    name: RunName = None,
    seed: Seed = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Wait for a console, which starts it and has the bounds written.")
    ] = False,
    arm: Arm = False,
) -> None:
    """Find the workspace of a task: drive the arm through the space it needs.

    All safety limits hold except the bounds of the file, which are looked for. Nothing is recorded.
    """
    from workers.station.main import run_station
    from workers.station.survey import DURATION_S, Ending, Wanted

    lasting = duration_s if duration_s is not None else 0.0 if serve else DURATION_S
    ending = Ending.ASK if serve else Ending.WRITE if write else Ending.PRINT
    wanted = Wanted(warmup_s, lasting, margin_m, floor_m, ending)

    def run() -> int:
        return asyncio.run(
            run_station(
                config, operator=operator, name=name, seed=seed, serve=serve, survey=wanted, confirmed=arm
            )
        )

    run_or_refuse(run)


@app.command()
def record(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run.")],
    operator: Operator = None,
    episodes: Episodes = None,
    root: Root = None,
    repo_id: RepoId = None,
    push: Push = None,
    name: RunName = None,
    seed: Seed = None,
    arm: Arm = False,
) -> None:
    """Record demonstrations as a LeRobotDataset, without a screen. An existing dataset is continued.

    Each episode is saved when it ends. Somebody must demonstrate: `--operator scripted` in the simulator, or a
    person who comes with `hilserl-tui attach`.
    """
    from workers.config.overrides import Overrides

    _job(config, operator, name, seed, Overrides("record", root, repo_id, episodes, None, push), arm)


@app.command()
def replay(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run.")],
    episode: Annotated[int, typer.Option(min=0, help="Number of the episode in the dataset, from 0.")],
    root: Root = None,
    repo_id: RepoId = None,
    name: RunName = None,
    seed: Seed = None,
    arm: Arm = False,
) -> None:
    """Drive the arm through a recorded episode again, and say how far from the recording it went."""
    from workers.config.overrides import Overrides

    _job(config, None, name, seed, Overrides("replay", root, repo_id, None, episode), arm)


def _job(
    config: Path,
    operator: str | None,
    name: str | None,
    seed: int | None,
    overrides: "Overrides",
    arm: bool,
) -> NoReturn:
    from workers.station.main import run_station

    run_or_refuse(
        lambda: asyncio.run(
            run_station(config, operator=operator, name=name, seed=seed, overrides=overrides, confirmed=arm)
        )
    )


@app.command()
def learner(
    config: Annotated[Path, typer.Option(help="TOML configuration of the run, the same as on the robot PC.")],
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS[:PORT]",
            help="Address for robot PCs, such as 0.0.0.0:50051. Default: 127.0.0.1 and learner_port of the file.",
            show_default=False,
        ),
    ] = None,
    resume: Resume = False,
    fresh: Fresh = False,
    name: RunName = None,
    seed: Seed = None,
    directory: Directory = None,
) -> None:
    """Run the learner for robots on other machines: receive their steps over TLS, train, and send policies back.

    It prints a line with which one robot PC can join within ten minutes; `hilserl-worker invite`, or the signal
    USR1, makes another. Without --resume or --fresh it continues from a checkpoint if there is one.
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

    run_or_refuse(run)


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

    run_or_refuse(run)


@app.command()
def join(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Address of the learner.")],
    pin: Annotated[str, typer.Option(help="Fingerprint of the learner's certificate, from the join line.")],
) -> None:
    """Join a learner. The token of the join line is read from standard input, so that no process list shows it.

    At a terminal, `hilserl-tui join` is easier.
    """
    from workers.station.joining import joined

    run_or_refuse(lambda: joined(address, pin, sys.stdin.readline().strip()))


@app.command()
def check(
    config: Annotated[Path, typer.Option(help="TOML configuration.")],
) -> None:
    """Check a configuration without starting anything. Exit code 2 when something is wrong."""
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
    """Print every processor of both pipelines with the shapes that go in and come out."""
    from workers.config import EXIT_CODE, ConfigError
    from workers.processors.describe import described
    from workers.station.check import examined

    try:
        _, pipelines = examined(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CODE) from error
    typer.echo(described(pipelines))


app.command("evaluate")(evaluate)
app.command("export-policy")(export_policy)
app.command("train-classifier")(train_classifier)
app.command("export-classifier")(export_classifier)
app.command("emulate-arm")(emulate_arm)
app.command("find-port")(find_port)
app.command("scan-arm")(scan_arm)
app.command("setup-motors")(setup_motors)
app.command("calibrate")(calibrate)
app.command("compare-arms")(compare_arms)
app.command("crop")(crop)
app.command("find-cameras")(find_cameras)
app.command("emulate-camera")(emulate_camera)
app.command("look", hidden=True)(look)
app.command("doctor", hidden=True)(doctor)
app.command("map-gamepad")(map_gamepad)
app.command("show-gamepad")(show_gamepad)
app.command("forward-gamepad")(forward_gamepad)
app.command("invite-gamepad")(invite_gamepad)
app.add_typer(dataset_commands, name="dataset")


def main() -> None:
    """Entry point of the `hilserl-worker` command."""
    app()


if __name__ == "__main__":
    main()
