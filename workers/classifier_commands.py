"""hilserl-worker train-classifier and export-classifier: a network that tells success, from datasets to LeRobot."""

import contextlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from workers.model.classifier_events import ClassifierEvent, ClassifierProgress

EXIT_REFUSED = 2


def train_classifier(
    config: Annotated[Path, typer.Option(help="TOML configuration, with [reward_classifier].")],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER|ID",
            help="Dataset to learn from; once for each. Default: reward_classifier.datasets, else [dataset].",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the classifier. Default: reward_classifier in the run's folder."),
    ] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write/--print",
            help="Write classifier and threshold into env.processor.reward_classifier of the file, or print them.",
        ),
    ] = False,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="ID", help="Upload it to the Hugging Face hub too, as this model.")
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="Tell a console how it goes, in place of a person.", hidden=True)
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the run. Default: from the file.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of split, network and batches. Default: from the file.")
    ] = None,
) -> None:
    """Train a reward classifier from datasets with rewards, and report how good it is on held-out episodes.

    Ctrl-C ends the training at the end of its epoch, with the best weights so far; a second one at once, without a
    classifier. Exit code 2 when it is refused: then a classifier that was there is as it was.
    """
    from workers.config import ConfigError
    from workers.model.classifier_events import ClassifierFailed
    from workers.reward.errors import ClassifierError
    from workers.reward.handing_over import hand_over, handed_over
    from workers.reward.hub import push
    from workers.reward.job import default_folder, train_classifier
    from workers.station.opening import StationRefused, configured

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    told: Callable[[ClassifierEvent], None] = _Pipe().tell if frames else _Person().tell
    try:
        _, settings = configured(config, name=name, seed=seed)
        folder = output or default_folder(settings)
        with _ended_by_ctrl_c() as stopping:
            report = train_classifier(settings, dataset or (), folder, told, stopping)
        if push_to_hub is not None:
            push(folder, push_to_hub)
        lines = hand_over(config, report) if write else handed_over(report)
        if not frames:
            typer.echo("\n".join(lines))
    except (ClassifierError, ConfigError, StationRefused) as error:
        if frames:
            told(ClassifierFailed(str(error)))
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from error


def export_classifier(
    to: Annotated[Path, typer.Option(help="New folder to write the classifier into.")],
    classifier: Annotated[
        str, typer.Option(metavar="FOLDER|ID", help="Folder of the classifier, or its name on the hub.")
    ],
    layout: Annotated[
        Literal["lerobot", "hilserl"],
        typer.Option(
            "--format", help="Layout of LeRobot, which cannot express every encoder, or of this project."
        ),
    ] = "lerobot",
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="ID", help="Upload it to the Hugging Face hub too, as this model.")
    ] = None,
) -> None:
    """Write a classifier in LeRobot's layout, or one of LeRobot's in ours; exit code 2 when that cannot be done."""
    from workers.reward.errors import ClassifierError
    from workers.reward.exporting import export
    from workers.reward.hub import push

    try:
        export(classifier, to, layout)
        typer.echo(f"the classifier is in {to}")
        if push_to_hub is not None:
            push(to, push_to_hub)
            typer.echo(f"and on the hub as {push_to_hub}")
    except ClassifierError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from error


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether somebody asked for an end; who asks twice gets it at once."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


class _Pipe:
    """Events as frames of `workers.model.wire`; training goes on when nobody reads them any more."""

    def __init__(self) -> None:
        self._out = sys.stdout.buffer
        self._read = True

    def tell(self, event: "ClassifierEvent") -> None:
        from workers.model.wire import Batch, frame

        if self._read:
            try:
                self._out.write(frame(Batch([event])))
                self._out.flush()
            except (BrokenPipeError, ValueError):
                self._read = False


class _Person:
    """A line for every epoch; what else takes time says so every few seconds."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def tell(self, event: "ClassifierEvent") -> None:
        from workers.model.classifier_events import ClassifierProgress, ClassifierReported, ClassifierStarted
        from workers.reward.words import report_in_words, started_in_words

        match event:
            case ClassifierStarted():
                typer.echo("\n".join(started_in_words(event)))
            case ClassifierProgress():
                self._progress(event)
            case ClassifierReported():
                typer.echo("\n".join(report_in_words(event)))

    def _progress(self, event: "ClassifierProgress") -> None:
        from workers.reward.words import epoch_in_words

        now_s = time.monotonic()
        if event.epoch_ended:
            typer.echo(epoch_in_words(event))
        elif now_s - self._told_s < 5.0 or event.epoch:
            return
        else:
            done = f" {event.step:,} of {event.steps:,}" if event.steps else ""
            typer.echo(f"{event.stage}{done}")
        self._told_s = now_s
