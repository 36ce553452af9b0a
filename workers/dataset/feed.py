"""The demonstrations of a dataset in a run of training: written once, at its start, into a log beside the actors'.

The learner reads that log as it reads an actor's. So they are taken in exactly once, a resume is bit-exact whatever
became of the dataset, and no video is decoded twice. The log is written aside and takes its place when it is
complete: a kill leaves none, and the next start writes it anew. Where labels of the dataset were corrected and nothing
else of it has changed, the next start writes it anew too: wrong rewards are not learnt from for ever.
"""

import contextlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workers.config import Config
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.fit import dataset_key
from workers.dataset.layout import dataset_folder, episodes_in_words, read_info
from workers.transport.log import LogError, LogWriter
from workers.transport.log_format import read_epoch, sync_directory
from workers.transport.record import FeatureSpec
from workers.transport.sources import dataset_log

if TYPE_CHECKING:  # brings what decodes pictures: not into a station without a dataset
    from workers.dataset.demonstrations import Demonstrations, Survey

_TOLD_EVERY = 1000  # frames
_SPARE_BYTES = 500_000_000  # left free for what the run itself records
log = logging.getLogger(__name__)


class Fed(msgspec.Struct, frozen=True):
    """What a run was fed with; kept in its log's folder, as `dataset.json`."""

    dataset: str
    """Its folder or its name on the hub, in words."""
    digest: str
    demonstrations: int
    frames: int
    motion: str = ""
    """Digest of all but the labels."""
    replaced: tuple[str, ...] = ()
    """Epochs of the logs, with labels that were corrected since, whose place this one took; hexadecimal."""

    @property
    def records(self) -> int:
        """Of its log: every frame, and the end of every episode."""
        return self.frames + self.demonstrations


def fed_before(config: Config) -> Fed | None:
    """What the run was fed with when it began; None where it was not."""
    try:
        return msgspec.json.decode(_note_in(dataset_log(config.run_dir)).read_bytes(), type=Fed)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise DatasetError(
            f"{_note_in(dataset_log(config.run_dir))} cannot be read ({error}): give the run another name"
        ) from error


def offered(config: Config, breathe: Callable[[], object] = lambda: None) -> "Survey":
    """What the configured dataset offers this run, looked through from its first number to its last.

    `breathe` is called with every episode. Raises DatasetError when it cannot be read or downloaded,
    DatasetRefused when it does not fit.
    """
    return _offered(config, _demonstrations(config), breathe)


def _offered(config: Config, demonstrations: "Demonstrations", breathe: Callable[[], object]) -> "Survey":
    survey = demonstrations.survey(breathe)
    capacity = config.policy.offline_buffer_capacity
    if survey.frames > capacity:
        raise DatasetRefused(
            ("policy", "offline_buffer_capacity"),
            f"{capacity:,}, but the dataset holds {survey.frames:,} frames of demonstrations: set it to more than that",
        )
    return survey


def found_dataset(config: Config) -> Path:
    """The folder of the configured dataset, downloaded from the hub where it is not on this machine.

    Raises DatasetRefused where there is none, DatasetError where it cannot be downloaded.
    """
    folder, name = dataset_folder(config.dataset), config.dataset.repo_id
    if read_info(folder) is not None:
        return folder
    if name is None:
        text = f"there is no dataset in {folder}; record one, or name its folder"
        raise DatasetRefused(dataset_key(config.dataset), text)
    from workers.dataset.fetch import fetch  # the hub's client, not needed without it

    log.info("dataset: %s is not in %s: downloading it", name, folder)
    return fetch(name, root=folder)


def feed(config: Config, breathe: Callable[[], object]) -> Fed:
    """Write the dataset's demonstrations into the log of the run, unless they are there; what the run has of them.

    They are written again where their labels were corrected since. `breathe` is called with every episode and record.
    Raises DatasetError, DatasetRefused.
    """
    before = fed_before(config)
    replaced: tuple[str, ...] = ()
    if before is None:
        demonstrations = _demonstrations(config)
        survey = _offered(config, demonstrations, breathe)
    else:
        corrected = _corrected(config, before, breathe)
        if corrected is None:
            return before
        demonstrations, survey = corrected
        replaced = (*before.replaced, f"{read_epoch(dataset_log(config.run_dir)) or 0:016x}")
    return _written(config, demonstrations, survey, replaced, breathe)


def _written(
    config: Config,
    demonstrations: "Demonstrations",
    survey: "Survey",
    replaced: tuple[str, ...],
    breathe: Callable[[], object],
) -> Fed:
    """Write them into the log of the run, in the place of one that is there."""
    _check_disk(config, demonstrations.features, survey)
    log.info(
        "dataset: reading %s from %s",
        episodes_in_words(survey.demonstrations),
        dataset_folder(config.dataset),
    )
    fed = Fed(
        str(dataset_folder(config.dataset)),
        survey.digest,
        survey.demonstrations,
        survey.frames,
        survey.motion,
        replaced,
    )
    aside = config.run_dir / ".dataset-log.new"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        _write(demonstrations, aside, breathe)
        _note_in(aside).write_bytes(msgspec.json.encode(fed))
        _put(aside, dataset_log(config.run_dir))
    except (OSError, LogError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise DatasetError(
            f"the demonstrations of {fed.dataset} could not be written into the run:"
            f" {str(error).rstrip('.')}. The dataset is as it was; when that is mended, start again."
        ) from error
    left_out = survey.episodes - survey.demonstrations
    log.info("dataset: %d demonstrations, %d frames%s", fed.demonstrations, fed.frames,
             f"; {episodes_in_words(left_out)} without success left out" if left_out else "")  # fmt: skip
    return fed


def _put(aside: Path, place: Path) -> None:
    """A complete log takes its place. Raises OSError."""
    before = place.with_name(".dataset-log.old")
    shutil.rmtree(before, ignore_errors=True)
    if place.exists():
        place.rename(before)
    aside.rename(place)
    sync_directory(place.parent)
    shutil.rmtree(before, ignore_errors=True)


def _write(demonstrations: "Demonstrations", directory: Path, breathe: Callable[[], object]) -> None:
    writing = LogWriter(directory, demonstrations.features)
    with writing as writer, contextlib.closing(demonstrations.records()) as records:
        for record in records:
            breathe()
            if writer.append(record) % _TOLD_EVERY == _TOLD_EVERY - 1:
                log.info("dataset: %d frames read", writer.next_seq)


def _demonstrations(config: Config) -> "Demonstrations":
    """Raises DatasetError, DatasetRefused."""
    from workers.dataset.demonstrations import Demonstrations

    return Demonstrations(config, found_dataset(config))


def _check_disk(config: Config, features: FeatureSpec, survey: "Survey") -> None:
    cameras, height, width, channels = features.image_shape
    needed = survey.frames * cameras * height * width * channels + _SPARE_BYTES
    free = shutil.disk_usage(config.run_dir).free
    if free < needed:
        raise DatasetError(
            f"the demonstrations of {dataset_folder(config.dataset)} and the run itself need {needed / 1e9:.1f} GB in"
            f" {config.run_dir}, {free / 1e9:.1f} GB are free: free some space, or set run.directory to another disk"
        )


def _corrected(
    config: Config, before: Fed, breathe: Callable[[], object]
) -> "tuple[Demonstrations, Survey] | None":
    """The dataset, where its labels are other ones than the run was fed with, and all else is the same.

    Of any other change it is only said that the run goes on with what it has.
    """
    if read_info(dataset_folder(config.dataset)) is None:
        return None
    try:
        demonstrations = _demonstrations(config)
        survey = _offered(config, demonstrations, breathe)
    except DatasetError as error:
        how = f"cannot be used any more ({error})"
    else:
        if survey.digest == before.digest:
            return None
        if survey.motion == before.motion:
            log.warning(
                "dataset: labels of %s were corrected: it has %d demonstrations now, %d before. The offline buffer is"
                " filled anew; the networks stay as they are and learn on",
                dataset_folder(config.dataset),
                survey.demonstrations,
                before.demonstrations,
            )
            return demonstrations, survey
        how = "has changed since"
    log.warning(
        "dataset: %s %s; this run goes on with the %d demonstrations it began with. To train on it as it is now,"
        " give the run another name.",
        dataset_folder(config.dataset),
        how,
        before.demonstrations,
    )
    return None


def _note_in(directory: Path) -> Path:
    return directory / "dataset.json"
