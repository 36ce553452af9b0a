"""hilserl-worker crop: the part of the pictures that the policy sees, in a configuration and in a dataset."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from workers.dataset.pipe import Answering

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_EXISTS = 3
"""The copy's folder holds a dataset already: `--replace` replaces it."""

Config = Annotated[Path, typer.Option(help="TOML configuration; the crops are written into it.")]
Source = Annotated[
    str,
    typer.Option(
        metavar="FOLDER|ID", help="Folder of the dataset, or USER/NAME where it lies in LeRobot's cache."
    ),
]


@contextlib.contextmanager
def _ending_in_order() -> Iterator[None]:
    """A termination unwinds, so that what was begun is taken away."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@_ending_in_order()
def crop(
    config: Config,
    dataset: Source,
    crops: Annotated[
        list[str] | None,
        typer.Option(
            "--crop",
            metavar="CAMERA=TOP,LEFT,HEIGHT,WIDTH",
            help="Crop of one camera in pixels; give it once for each. Default: those of the configuration.",
        ),
    ] = None,
    resize: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="H W",
            help="Height and width of every picture of the copy. Default: from the file, else 128 128.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the copy. Default: <dataset>_cropped_resized beside the dataset."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a dataset that is in that folder already.")
    ] = False,
    print_only: Annotated[
        bool, typer.Option("--print-only", help="Print the crops and write nothing.")
    ] = False,
    preview: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", help="PNG file to draw the crops of one frame into. Nothing else is written."
        ),
    ] = None,
    episode: Annotated[int, typer.Option(min=0, help="Episode for --preview.")] = 0,
    frame: Annotated[int, typer.Option(min=0, help="Frame of that episode for --preview.")] = 0,
) -> None:
    """Write crops into the configuration, and make a cropped and resized copy of a dataset.

    The pictures of the copy are, pixel by pixel, what a run with this configuration would see. Exit code 2: refused,
    nothing was changed; 3: the copy exists already; 1: it could not be made.
    """
    from workers.config import ConfigError
    from workers.config.crops import NoCrop, tutorial_lines, write_crops
    from workers.dataset.crop import CropJob, TargetExists, target_of
    from workers.dataset.crop_plan import plan_of
    from workers.dataset.errors import DatasetError

    try:
        plan = plan_of(config, dataset, crops or (), resize)
        typer.echo(tutorial_lines(plan.crops))
        if print_only:
            return
        if preview is not None:
            from workers.dataset.crop_preview import write_preview

            write_preview(preview, plan, episode, frame)
            typer.echo(f"frame {frame} of episode {episode} is in {preview}")
            return
        target = output or target_of(plan.dataset.root)
        job = CropJob(plan.dataset, target, plan.crops, plan.size, replace, _Line().show)
        unwritable = plan.unwritable()
    except TargetExists as there:
        _refuse(str(there), EXIT_EXISTS)
    except (ConfigError, DatasetError, NoCrop) as refused:
        _refuse(str(refused), EXIT_REFUSED)
    try:
        job.run()
        changed = [] if unwritable else write_crops(config, plan.crops, plan.size)
    except (ConfigError, DatasetError) as error:
        _refuse(str(error), EXIT_FAILED)
    if unwritable:
        typer.echo(
            f"{config} was left as it is; these crops are not for its cameras:\n{unwritable}", err=True
        )
    else:
        typer.echo(
            "\n".join([f"{config} has them now:", *changed] if changed else [f"{config} had them already"])
        )
    typer.echo(plan.summary(target))


def look(
    dataset: Source,
    config: Annotated[Path | None, typer.Option(help="TOML configuration that gets the crops.")] = None,
    episodes: Annotated[bool, typer.Option("--episodes", help="Look through its episodes.")] = False,
) -> None:
    """Show a dataset to the console that started this."""
    from workers.dataset.pipe import serve

    serve(lambda: _answering(dataset, config, episodes), sys.stdin.buffer, sys.stdout.buffer)


def _answering(dataset: str, config: Path | None, episodes: bool) -> "Answering":
    from workers.dataset.crop_plan import folder_of

    if episodes:
        from workers.dataset.browse import Browser

        return Browser(folder_of(dataset))
    from workers.dataset.look import Shelf

    return Shelf(folder_of(dataset), config)


class _Line:
    """Progress on one line of a terminal, else on a line of its own every second."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def show(self, progress: object) -> None:
        done = str(progress).lstrip().startswith("100 %")
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\x1b[K{progress}" + "\n" * done)
            sys.stdout.flush()
        elif done or time.monotonic() - self._told_s >= 1.0:
            self._told_s = time.monotonic()
            print(progress, flush=True)  # noqa: T201


def _refuse(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
