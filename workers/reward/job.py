"""The training of a classifier from datasets to report: the same for a console and without one."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from workers.config import Config
from workers.dataset.durable import write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.locking import locked
from workers.learner.devices import DeviceMissing, usable_device
from workers.model.classifier_events import (
    REPORT,
    ClassifierEvent,
    ClassifierProgress,
    ClassifierReported,
    ClassifierStarted,
)
from workers.model.places import classifier_path
from workers.reward.architecture import architecture_of
from workers.reward.checkpoint import save_classifier
from workers.reward.doubts import cross_checked
from workers.reward.errors import ClassifierError, ClassifierMismatch
from workers.reward.features import features_of
from workers.reward.frames import Frames, Span, Told, read, spans_of
from workers.reward.metrics import ClassifierMetrics
from workers.reward.model import RewardClassifier
from workers.reward.report import (
    Measured,
    held_out_figures,
    learnt,
    probabilities_of,
    recommended_of,
    report_of,
    trained_on,
)
from workers.reward.sources import Material, advice, material
from workers.reward.training import Fitted, Fitting

_TOLD_EVERY_S = 0.2


def default_folder(config: Config) -> Path:
    """Where a run's classifier goes."""
    return classifier_path(config.run_dir)


def train_classifier(
    config: Config,
    names: Sequence[str],
    folder: Path,
    told: Callable[[ClassifierEvent], None],
    stopping: Callable[[], bool] = lambda: False,
) -> ClassifierReported:
    """Train a classifier from the datasets `names` (none: those of the configuration) into `folder`.

    A classifier that is there stays until the new one takes its place. `told` hears of everything but a failure;
    `stopping` is asked after every epoch, and true ends it there, with the best weights so far.
    Raises ClassifierError, ClassifierMismatch with a table.
    """
    began_s = time.monotonic()
    told(ClassifierProgress("looking at the datasets"))
    found = material(config, names)
    settings, seed = config.reward_classifier, config.run.seed
    spans = spans_of(found, settings.held_out, seed)
    _check_split(found, spans)
    classifier = _new(config, found)
    with _folder(folder):
        told(
            ClassifierStarted(
                str(folder.absolute()),
                settings.model_name,
                dict(found.cameras),
                learnt(found, spans),
                settings.max_epochs,
                advice(found),
            )
        )
        frames = read(found, spans, folder, _stage("reading pictures", told))
        with ClassifierMetrics(config, folder) as metrics:
            frames, fitted, doubts = _fitted(classifier, frames, config, folder, told, metrics, stopping)
            measured = Measured(
                frames,
                probabilities_of(classifier, frames, _stage("measuring", told)),
                found.is_success(frames.classes),
            )
            report = report_of(measured, config, folder, fitted, time.monotonic() - began_s, doubts)
            report = _kept(classifier, report, found, frames, folder)
            metrics.report(held_out_figures(report))
    told(report)
    return report


def _fitted(
    classifier: RewardClassifier,
    frames: Frames,
    config: Config,
    folder: Path,
    told: Callable[[ClassifierEvent], None],
    metrics: ClassifierMetrics,
    stopping: Callable[[], bool],
) -> tuple[Frames, Fitted, list[str]]:
    """Train it from the labels that are believed: the frames with these, how it went, the others in words."""
    settings, seed = config.reward_classifier, config.run.seed
    features = features_of(classifier, frames, settings, folder, seed, _stage("encoding pictures", told))
    doubts: list[str] = []
    if settings.cross_check:
        checking = _stage("cross-checking labels", told)
        frames, doubts = cross_checked(classifier, frames, settings, folder, seed, checking, stopping)

    def both(event: ClassifierProgress) -> None:
        told(event)
        metrics.progress(event)

    fitted = Fitting(classifier, frames, features, settings, seed, both, stopping).run()
    return frames, fitted, doubts


def _new(config: Config, found: Material) -> RewardClassifier:
    """The network before training. Raises ClassifierError where its device or published weights cannot be had."""
    settings = config.reward_classifier
    torch.set_num_threads(settings.torch_threads)
    torch.manual_seed(config.run.seed)
    try:
        device = usable_device(settings.device, "reward_classifier.device")
    except DeviceMissing as error:
        raise ClassifierError(str(error)) from error
    return RewardClassifier(architecture_of(settings, found.cameras), pretrained=True).to(device)


def _kept(
    classifier: RewardClassifier, report: ClassifierReported, found: Material, frames: Frames, folder: Path
) -> ClassifierReported:
    """Weights, description and report on the disk. Raises ClassifierError."""
    description = save_classifier(
        folder, classifier, recommended_of(report), trained_on(found, frames), held_out_figures(report)
    )
    report = msgspec.structs.replace(report, sha256=description.sha256)
    try:
        write_whole(folder / REPORT, msgspec.json.format(msgspec.json.encode(report)))
    except OSError as error:
        raise ClassifierError(f"the report cannot be written to {folder}: {error.strerror}") from error
    return report


def _check_split(found: Material, spans: Sequence[Span]) -> None:
    """Raises ClassifierMismatch where one side lacks a class."""
    for held_out, name in ((False, "training"), (True, "held-out")):
        shown = [found.is_success(span.episode.classes) for span in spans if span.held_out is held_out]
        frames = np.concatenate(shown) if shown else np.zeros(0, bool)
        if frames.all() or not frames.any():
            raise ClassifierMismatch(
                f"of {len(spans)} episodes, the {len(shown)} {name} ones have {int(frames.sum())} frames with success"
                f" and {int((~frames).sum())} without: both are needed. Record more episodes, some that fail among"
                " them, or change reward_classifier.held_out"
            )


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """The folder, for this training alone. Raises ClassifierError."""
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder))
        except DatasetError as error:
            raise ClassifierError(
                f"another training writes to {folder}: wait for its end, or name another folder with --output"
            ) from error
        except OSError as error:
            raise ClassifierError(
                f"{folder} cannot be used for the classifier: {error.strerror}. Name another with --output"
            ) from error
        yield


def _stage(name: str, told: Callable[[ClassifierEvent], None]) -> Told:
    """Tells how far a stage is, a few times a second."""
    last_s = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if done >= total or now_s - last_s > _TOLD_EVERY_S:
            last_s = now_s
            told(ClassifierProgress(name, step=done, steps=total))

    return tell
