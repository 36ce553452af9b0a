"""A cropped and resized copy of a dataset: the same episodes, with pictures as the run's own processor makes them.

The copy is made aside, in a hidden folder of its parent, and takes its name when it is complete and on the disk:
whatever interrupts this, there is no half dataset under that name.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from workers.config.crops import Crop, Size, check_crop
from workers.dataset.durable import sync_folder, write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.layout import AUTOMATIC, Column, Info, read_info
from workers.dataset.listing import Episode
from workers.dataset.notes import CROP_PARAMS
from workers.dataset.reader import Dataset
from workers.dataset.writer import DatasetWriter
from workers.processors.image_crop_resize import ImageCropResizeProcessor

ENDING = "_cropped_resized"
"""What LeRobot's tool adds to the name."""
_NAMES = ("height", "width", "channels")
Frame = dict[str, NDArray[Any]]


class TargetExists(DatasetError):
    """There is a dataset where the copy would go."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy is; `left_s` is an estimate by the time so far, None before the first frame."""

    episode: int
    episodes: int
    frames: int
    total: int
    left_s: float | None

    def __str__(self) -> str:
        left = "" if self.left_s is None else f", {clock(self.left_s)} left"
        share = 100 * self.frames // self.total if self.total else 100
        episode = f"episode {self.episode + 1} of {self.episodes}"
        return f"{share:3d} %  {episode}, frame {self.frames:,} of {self.total:,}{left}"


def clock(seconds: float) -> str:
    """4:07, 1:02:33."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def picture_size(column: Column) -> Size:
    """Height and width of a column of pictures, [H, W, 3] or [3, H, W]. Raises DatasetError of other pictures."""
    shape = column.shape
    if len(shape) == 3:
        names = list(column.names or ())
        channels_first = names[:1] == ["channels"] if names else shape[2] != 3
        channels = shape[0] if channels_first else shape[2]
        if channels == 3:
            return (shape[1], shape[2]) if channels_first else (shape[0], shape[1])
    raise DatasetError(f"pictures of shape {list(shape)} cannot be cropped; they must have three channels")


def picture_sizes(info: Info) -> dict[str, Size]:
    """Of every camera, by key. Raises DatasetError of a dataset without pictures."""
    sizes = {key: picture_size(column) for key, column in info.features.items() if column.is_picture}
    if not sizes:
        raise DatasetError(
            f"this dataset has no pictures to crop; its columns are {', '.join(info.features)}"
        )
    return sizes


def target_of(source: Path) -> Path:
    """Where LeRobot's tool puts the copy of a dataset."""
    source = source.absolute()
    return source.with_name(source.name + ENDING)


@dataclass(frozen=True)
class CropJob:
    """The copy of `source` at `target`; nothing is touched before `run`.

    Args:
        crops: by key; a camera without one keeps its whole picture.
        size: height and width that every picture is resized to.
        replace: another dataset at `target` gives way, once the copy is complete.

    Raises DatasetError, TargetExists where a dataset is in the way, and NoCrop for a crop that does not fit.
    """

    source: Dataset
    target: Path
    crops: Mapping[str, Crop]
    size: Size
    replace: bool = False
    told: Callable[[Progress], None] = field(default=lambda progress: None)

    def __post_init__(self) -> None:
        sizes = picture_sizes(self.source.info)
        for key, crop in self.crops.items():
            check_crop(key, crop, sizes[key])
        if not self.source.episodes:
            raise DatasetError(f"{self.source.root} has no episode to crop")
        for episode in self.source.episodes:
            if len(episode.tasks) > 1:
                raise DatasetError(
                    f"episode {episode.index} of {self.source.root} has {len(episode.tasks)} tasks; a copy can keep"
                    " one for each episode only"
                )
        self._check_target()

    def run(self) -> None:
        """Make the copy. Raises DatasetError, and then there is no copy, and what was at `target` still is."""
        self._clear()
        try:
            self._write()
            write_whole(self._aside / CROP_PARAMS, crop_params(self.crops))
            self._take_place()
        except OSError as error:
            raise self._unwritten(error) from error
        except DatasetError as error:
            if isinstance(error.__cause__, OSError) and str(self._aside) in str(error):
                raise self._unwritten(error.__cause__) from error
            raise
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)

    def _unwritten(self, error: OSError) -> DatasetError:
        return DatasetError(
            f"{self.target} cannot be made: {error.strerror or error}. There is no copy, and nothing else has changed;"
            " when that is mended, start it again."
        )

    # --- folders ----------------------------------------------------------------------------------------

    @property
    def _aside(self) -> Path:
        return self.target.with_name(f".{self.target.name}.new")

    @property
    def _before(self) -> Path:
        return self.target.with_name(f".{self.target.name}.old")

    def _check_target(self) -> None:
        target = self.target
        if target.resolve() == self.source.root.resolve():
            raise DatasetError(f"{target} is the dataset itself; name another folder for the copy")
        if self._before.exists() and not target.exists():
            self._before.rename(target)  # a kill between the two names of `_take_place`
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return
        if read_info(target) is None:
            raise DatasetError(f"{target} is not empty, and no dataset; name another folder")
        if not self.replace:
            raise TargetExists(
                f"there is a dataset in {target} already; name another folder with --output, or let --replace"
                " replace it"
            )

    def _clear(self) -> None:
        """What a kill left is in nobody's way."""
        shutil.rmtree(self._aside, ignore_errors=True)
        shutil.rmtree(self._before, ignore_errors=True)

    def _take_place(self) -> None:
        """The copy takes its name; what had it before goes when it has."""
        if self.target.exists():
            self.target.rename(self._before)
        self._aside.rename(self.target)
        sync_folder(self.target.parent)
        shutil.rmtree(self._before, ignore_errors=True)

    # --- frames -----------------------------------------------------------------------------------------

    def _columns(self) -> dict[str, Column]:
        shape = (*self.size, 3)
        return {
            key: Column(column.dtype, shape, _NAMES) if column.is_picture else column
            for key, column in self.source.info.features.items()
            if key not in AUTOMATIC
        }

    def _write(self) -> None:
        info = self.source.info
        video = any(column.dtype == "video" for column in info.features.values())
        writer = DatasetWriter.open(self._aside, self._columns(), info.fps, info.robot_type, video=video)
        progress = _Meter(self)
        try:
            for episode in self.source.episodes:
                for frame in self._frames(episode):
                    writer.add_frame(frame)
                    progress.frame(episode.index)
                writer.save_episode(episode.tasks[0] if episode.tasks else "")
        finally:
            writer.close()

    def _frames(self, episode: Episode) -> Iterator[Frame]:
        """The frames of an episode, one at a time; LeRobot's own columns are the writer's."""
        features = self.source.info.features
        cameras = [key for key, column in features.items() if column.is_picture]
        plain = [key for key in features if key not in AUTOMATIC and key not in cameras]
        rows = self.source.frames(episode.index, plain)
        processor = ImageCropResizeProcessor(self.crops, self.size)
        pictures = zip(*(self.source.pictures(episode.index, key) for key in cameras), strict=True)
        for number, shot in enumerate(pictures):
            frame = {key: rows[key][number] for key in plain}
            for key, picture in zip(cameras, shot, strict=True):
                frame[key] = processor.picture(key, picture)
            yield frame


class _Meter:
    """Tells how far a job is, at most ten times a second."""

    def __init__(self, job: CropJob) -> None:
        self._job = job
        self._total = job.source.info.total_frames
        self._frames = 0
        self._began_s = self._told_s = time.monotonic()

    def frame(self, episode: int) -> None:
        self._frames += 1
        now = time.monotonic()
        if now - self._told_s < 0.1 and self._frames < self._total:
            return
        self._told_s = now
        left_s = (now - self._began_s) / self._frames * (self._total - self._frames)
        count = len(self._job.source.episodes)
        self._job.told(Progress(episode, count, self._frames, self._total, left_s))


def crop_params(crops: Mapping[str, Crop]) -> bytes:
    """`meta/crop_params.json` as LeRobot's tool writes and reads it."""
    return msgspec.json.format(
        msgspec.json.encode({key: list(crop) for key, crop in crops.items()}), indent=4
    )
