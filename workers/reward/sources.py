"""The datasets that a classifier learns from: opened, and looked at as a whole before anything starts.

What does not fit is told in one table: cameras and pictures that this run does not have, datasets without rewards, one
class only, too few frames.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from workers.config import ClassifierConfig, Config
from workers.dataset.difference import Difference, as_table
from workers.dataset.errors import DatasetError
from workers.dataset.fit import PictureFit
from workers.dataset.layout import cache_folder, dataset_folder, read_info
from workers.dataset.notes import crops_of
from workers.dataset.reader import Dataset
from workers.model.collecting import NEGATIVES, POSITIVES
from workers.processors.build import Pipelines, pipelines_of
from workers.processors.errors import EnvironmentRefused
from workers.processors.features import IMAGES, REWARD, pictures
from workers.reward.architecture import Size
from workers.reward.errors import ClassifierError, ClassifierMismatch

_LEAST_EPISODES = 2  # of a kind, so that one can be kept from training


@dataclass(frozen=True)
class Episode:
    """An episode and what its frames show."""

    number: int
    classes: NDArray[np.int64]  # [frames]; of two, 1 is success


@dataclass(frozen=True)
class Source:
    """One dataset."""

    name: str
    dataset: Dataset
    fit: PictureFit
    episodes: tuple[Episode, ...]

    @property
    def root(self) -> Path:
        return self.dataset.root


@dataclass(frozen=True)
class Material:
    """All that a classifier can learn from, nothing of it read but the labels."""

    sources: tuple[Source, ...]
    cameras: dict[str, Size]
    success_class: int

    def is_success(self, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.equal(classes, self.success_class)


def _of_the_run(config: Config) -> str:
    """The dataset that the run itself names. Raises ClassifierError where it names none."""
    if config.dataset.root is None and config.dataset.repo_id is None:
        raise ClassifierError(
            "no dataset is named that could be learned from: name one in reward_classifier.datasets or dataset.root, "
            "or behind --dataset. `hilserl-worker record --config configs/sim_classifier.toml` shows how one is made"
        )
    return str(dataset_folder(config.dataset))


def material(config: Config, names: Sequence[str] = ()) -> Material:
    """Open the datasets `names`, by default those of the configuration, and look whether a classifier can be had.

    Raises ClassifierError, ClassifierMismatch with a table of what does not fit.
    """
    settings = config.reward_classifier
    names = names or settings.datasets or (_of_the_run(config),)
    try:
        opened = [(name, Dataset(folder_of(name))) for name in dict.fromkeys(names)]
        views = _run_views(config)
        cameras = _chosen(settings, views)
        fits = [PictureFit(config, views, dataset.info, crops_of(dataset.root)) for _, dataset in opened]
    except (DatasetError, EnvironmentRefused) as error:
        raise ClassifierError(str(error)) from error
    for name, dataset in opened:
        if not dataset.episodes:
            raise ClassifierError(f"{name} has no episode yet: record some, or leave it out")
    _check_fits(opened, fits, cameras)
    last = settings.num_classes - 1
    success = last if settings.success_class is None else settings.success_class
    try:
        sources = [
            Source(name, dataset, fit, tuple(_labelled(dataset, settings)))
            for (name, dataset), fit in zip(opened, fits, strict=True)
        ]
    except DatasetError as error:
        raise ClassifierError(str(error)) from error
    found = Material(tuple(sources), cameras, success)
    _check_enough(found, settings)
    return found


def folder_of(name: str) -> Path:
    """The folder of a dataset: its own, that of its name in LeRobot's, or the hub's, downloaded.

    Raises DatasetError.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name.count("/") != 1 or name.startswith((".", "~")):
        raise DatasetError(f"there is no dataset in {folder}; record one, or name its folder")
    cached = cache_folder(name)
    if read_info(cached) is not None:
        return cached
    from workers.dataset.fetch import fetch  # the hub's client, not needed without it

    return fetch(name)


def advice(found: Material) -> tuple[str, ...]:
    """What more data would be worth having, in words."""
    classes = np.concatenate([of.classes for source in found.sources for of in source.episodes])
    positives = int(found.is_success(classes).sum())
    negatives = len(classes) - positives
    said = []
    if positives < POSITIVES:
        said.append(
            f"{positives} frames show success, {POSITIVES} are better: record with"
            " env.processor.reset.terminate_on_success = false, and stay in it for a while"
        )
    if negatives < NEGATIVES:
        said.append(
            f"{negatives} frames show none, {NEGATIVES} to 1,000 are better: record attempts that fail, and what"
            " could be taken for a success"
        )
    return tuple(said)


# What the run has


def _run_views(config: Config) -> Pipelines:
    """The pipelines of the run, without a classifier: it is to be made yet."""
    processor = replace(config.env.processor, reward_classifier=None)
    return pipelines_of(replace(config, env=replace(config.env, processor=processor)))


def _chosen(settings: ClassifierConfig, views: Pipelines) -> dict[str, Size]:
    """The cameras that the classifier looks at. Raises ClassifierError."""
    there: dict[str, Size] = {
        camera: (view.shape[0], view.shape[1]) for camera, view in pictures(views.stored).items()
    }
    unknown = [camera for camera in settings.cameras if camera not in there]
    if unknown or not there:
        asked, have = ", ".join(unknown) or "pictures", ", ".join(there) or "none"
        raise ClassifierError(
            f"reward_classifier.cameras: {asked} are not among the cameras of this run, which are {have}. Name those of"
            " [env.robot.cameras]"
        )
    chosen = {camera: there[camera] for camera in settings.cameras or there}
    if settings.num_cameras not in (None, len(chosen)):
        raise ClassifierError(
            f"reward_classifier.num_cameras = {settings.num_cameras}, but it would look at {len(chosen)}:"
            f" {', '.join(chosen)}. Name those that it is to look at in reward_classifier.cameras, or correct the"
            " number"
        )
    return chosen


def _check_fits(
    opened: Sequence[tuple[str, Dataset]], fits: Sequence[PictureFit], cameras: dict[str, Size]
) -> None:
    """Raises ClassifierMismatch where a dataset has other pictures, or no rewards."""
    wanted = {IMAGES + camera for camera in cameras}
    tables = []
    for (name, dataset), fit in zip(opened, fits, strict=True):
        rows = [row for row in fit.differences() if row.what in wanted]
        if REWARD not in dataset.info.features:
            to_do = "without rewards nothing says what success looks like: record it again"
            rows.append(Difference(REWARD, "number", "missing", to_do))
        if rows:
            tables.append(f"{name} does not fit:\n{as_table(rows)}")
    if tables:
        raise ClassifierMismatch("\n".join(tables))


# What the labels say


def _labelled(dataset: Dataset, settings: ClassifierConfig) -> Iterator[Episode]:
    """Every episode with the classes of its frames. Raises DatasetError, ClassifierError."""
    for number in range(len(dataset.episodes)):
        rewards = np.asarray(dataset.frames(number, [REWARD])[REWARD], np.float64)
        if settings.num_classes == 2:
            yield Episode(number, (rewards > 0).astype(np.int64))
            continue
        classes = np.rint(rewards).astype(np.int64)
        wrong = np.flatnonzero((classes < 0) | (classes >= settings.num_classes) | (classes != rewards))
        if len(wrong):
            raise ClassifierError(
                f"frame {wrong[0]} of episode {number} of {dataset.root} has the reward {rewards[wrong[0]]:g}; with"
                f" reward_classifier.num_classes = {settings.num_classes} it must be the number of a class, 0 to"
                f" {settings.num_classes - 1}"
            )
        yield Episode(number, classes)


def _check_enough(found: Material, settings: ClassifierConfig) -> None:
    """Raises ClassifierMismatch where a class has too few frames, or there is too little to measure with."""
    frames = np.zeros(settings.num_classes, np.int64)
    rows = []
    successes = episodes = 0
    for source in found.sources:
        counts = np.zeros_like(frames)
        for of in source.episodes:
            counts += np.bincount(of.classes, minlength=len(counts))
            successes += bool(found.is_success(of.classes).any())
        episodes += len(source.episodes)
        frames += counts
        rows.append((source.name, len(source.episodes), counts))
    wrong = []
    if frames.min() < settings.least_frames:
        wrong.append(
            f"{settings.least_frames} frames of each class are the least (reward_classifier.least_frames), about"
            f" {POSITIVES} with success and {NEGATIVES} without make a good one. "
            + _how_to_get(found, frames)
        )
    if successes < _LEAST_EPISODES or episodes < _LEAST_EPISODES:
        wrong.append(
            f"{successes} of {episodes} episodes have a success: {_LEAST_EPISODES} are the least, one to learn from and"
            " one to measure with"
        )
    if wrong:
        raise ClassifierMismatch(
            "there is too little to learn from:\n" + _counts(found, rows, frames) + "\n" + "\n".join(wrong)
        )


def _how_to_get(found: Material, frames: NDArray[np.int64]) -> str:
    if int(frames.argmin()) == found.success_class:
        return (
            "Frames with success: record with env.processor.reset.terminate_on_success = false and stay in the success,"
            " or relabel episodes that have one."
        )
    return "Frames without: record from before the success on, and attempts that fail."


def _counts(
    found: Material, rows: Sequence[tuple[str, int, NDArray[np.int64]]], frames: NDArray[np.int64]
) -> str:
    """A table: frames of each class, by dataset."""
    two = len(frames) == 2
    heads = [("no success", "success") if two else tuple(f"class {number}" for number in range(len(frames)))][
        0
    ]
    lines = [("", "episodes", *heads)]
    lines += [(name, str(episodes), *map(str, counts)) for name, episodes, counts in rows]
    if len(rows) > 1:
        lines.append(("all", str(sum(row[1] for row in rows)), *map(str, frames)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        f"  {line[0]:{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    )
