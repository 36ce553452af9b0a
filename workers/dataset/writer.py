"""DatasetWriter: a LeRobotDataset v3.0 that grows episode by episode, and has every saved one whatever happens.

Each episode has files of its own, which LeRobot reads as well as large ones. Saving brings all of them to the disk
under temporary names; then they take their own, `meta/info.json` last. A reader in between sees the dataset without
the episode or with it, and what a kill interrupts is finished by the next `open`.
"""

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.dataset.contents import Contents, existing, fresh
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.layout import (
    AUTOMATIC,
    DATA,
    VERSION,
    VIDEO,
    Column,
    Info,
    differences,
    episodes_in_words,
    read_info,
)
from workers.dataset.locking import lock
from workers.dataset.notes import Crops, crops_of
from workers.dataset.pictures import description
from workers.dataset.reader import READING_FAILS, Dataset
from workers.dataset.recover import recover, remove_parts
from workers.dataset.running import RunningEpisode
from workers.dataset.sinks import Automatic
from workers.dataset.tables import frames_schema

_ROOT = ("dataset", "root")


class DatasetWriter:
    """Takes frames and makes episodes of them; made by `open`. From one thread; one writer for a dataset.

    Every method may raise DatasetError, when the disk is full for example. Then the running episode is lost and
    nothing else: `drop_episode`, and go on when there is space.
    """

    def __init__(self, root: Path, columns: dict[str, Column], contents: Contents, lock: int) -> None:
        self._root, self._columns, self._contents, self._lock = root, columns, contents, lock
        self._schema = frames_schema(columns)
        self._running: RunningEpisode | None = None
        self._failure: str | None = None

    @classmethod
    def open(
        cls,
        root: Path,
        columns: dict[str, Column],
        fps: float,
        robot_type: str | None,
        *,
        video: bool,
        crops: Crops | None = None,
    ) -> "DatasetWriter":
        """Begin the dataset in the folder `root`, or go on with the one that is there.

        Args:
            root: the folder; made where it is not there.
            columns: of a frame, pictures [H, W, 3]; LeRobot's own may be among them or not.
            fps: frames a second.
            robot_type: the arm's.
            video: keep pictures as videos, otherwise as PNG.
            crops: what is cut out of the cameras' pictures, to be noted; None: not known.

        Raises DatasetRefused where `root` holds something else, or a dataset with other columns, with the
        differences; DatasetError when it is damaged, cannot be written to or has another writer.
        """
        columns = _stored(columns, fps, video)
        try:
            root.mkdir(parents=True, exist_ok=True)
            descriptor = lock(root)
        except OSError as error:
            raise DatasetError(f"no dataset can be written in {root}: {error.strerror}") from error
        try:
            return cls(root, columns, _contents(root, columns, fps, robot_type, crops), descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    @property
    def episodes(self) -> int:
        """How many are saved."""
        return self._contents.episodes

    @property
    def frames(self) -> int:
        """How many the saved episodes have."""
        return self._contents.frames

    @property
    def videos(self) -> int:
        """How many files they are in; `edit.compact` makes fewer of them."""
        places = (place for key, place in self._contents.places.items() if key != "data")
        return sum(place.chunk * int(self._contents.info["chunks_size"]) + place.file + 1 for place in places)

    @property
    def origins(self) -> frozenset[str]:
        """Where the episodes came from that were ever saved here, those too that were deleted later."""
        return frozenset(self._contents.notes.origins)

    def add_frame(self, frame: Mapping[str, NDArray[Any]]) -> None:
        """Append a frame to the running episode; it has all columns but LeRobot's own.

        Pictures are uint8 [H, W, 3]; a column of one element is of shape [] or [1].
        """
        self._must_be_well()
        self._check(frame)
        try:
            if self._running is None:
                self._running = self._begun()
            self._running.add(frame)
        except OSError as error:
            raise self._failed(error) from error

    def save_episode(self, task: str, origin: str = "", breathe: Callable[[], object] = lambda: None) -> int:
        """Make the frames since the last episode one, of `task`; its index. When this returns it is on the disk.

        `origin` is what the recorder calls it; see `origins`. `breathe` is called while it gets on.
        """
        self._must_be_well()
        running = self._running
        if running is None:
            raise DatasetError("an episode without a frame cannot be saved")
        try:
            stats = running.finish(self._contents.task_index(task), breathe)
            files = [str(path.relative_to(self._root)) for path in running.files]
            contents = self._contents.with_episode(running.length, task, stats, origin, files)
            contents.prepare(self._root)
            breathe()
        except OSError as error:
            raise self._failed(error) from error
        self._running = None  # from here on the episode is certain, and nothing of it may be taken away
        try:
            contents.commit(self._root)
        except OSError as error:
            self._failure = (
                f"{self._root} cannot be written to: {error.strerror}. The episode is safe; start again."
            )
            raise DatasetError(self._failure) from error
        self._contents = contents
        return contents.episodes - 1

    def drop_episode(self) -> None:
        """Forget the frames since the last episode, if there are any."""
        if self._running is not None:
            self._running.abandon()
            remove_parts(self._root)
            self._running = self._failure = None

    def close(self) -> None:
        """Drop what is not saved and let others write."""
        if self._lock < 0:
            return
        self.drop_episode()
        os.close(self._lock)
        self._lock = -1

    def _begun(self) -> RunningEpisode:
        contents = self._contents
        files = {
            key: self._root
            / (DATA if key == "data" else VIDEO).format(
                video_key=key, chunk_index=place.chunk, file_index=place.file
            )
            for key, place in contents.next_places().items()
        }
        task = max(0, len(contents.tasks) - 1)
        automatic = Automatic(contents.episodes, contents.frames, contents.info["fps"], task)
        return RunningEpisode(files.pop("data"), files, self._columns, self._schema, automatic)

    def _check(self, frame: Mapping[str, NDArray[Any]]) -> None:
        """Raise DatasetError for a frame that is not one of this dataset; the recorder is at fault."""
        columns = self._columns.keys() - AUTOMATIC.keys()
        if frame.keys() != columns:
            odd = ", ".join(sorted(frame.keys() ^ columns))
            raise DatasetError(
                f"a frame for {self._root} must have its columns, neither more nor less: {odd}"
            )
        for key, value in frame.items():
            column, shape = self._columns[key], np.shape(value)
            wanted = column.picture_shape if column.is_picture else column.shape
            if shape != wanted and not (wanted == (1,) and shape == ()):
                raise DatasetError(f"{key} of a frame for {self._root} is {list(shape)}, not {list(wanted)}")

    def _must_be_well(self) -> None:
        if self._failure is not None:
            raise DatasetError(self._failure)

    def _failed(self, error: OSError) -> DatasetError:
        """The running episode can no longer be saved."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cause = "the disk is full" if full else error.strerror or str(error)
        action = "Make space, then record it again" if full else "When that is mended, record it again"
        saved = episodes_in_words(self.episodes)
        self._failure = (
            f"the running episode cannot be written into {self._root}: {cause}. It is lost; what was saved before"
            f" it ({saved}) is not touched. {action}."
        )
        return DatasetError(self._failure)


def _stored(columns: Mapping[str, Column], fps: float, video: bool) -> dict[str, Column]:
    """The columns as `meta/info.json` describes them."""
    stored = {}
    for key, column in {**columns, **AUTOMATIC}.items():
        if column.is_picture:
            kind = (
                {"dtype": "video", "info": description(column.picture_shape, fps)}
                if video
                else {"dtype": "image"}
            )
            column = msgspec.structs.replace(column, **{"info": msgspec.UNSET, **kind})
        stored[key] = column
    return stored


def _contents(
    root: Path, columns: dict[str, Column], fps: float, robot_type: str | None, crops: Crops | None
) -> Contents:
    """What the dataset has already, after what a kill left is cleared away."""
    try:
        recover(root)
        info = read_info(root)
        if info is None:
            if any(path.is_file() for path in root.rglob("*")):
                raise DatasetRefused(_ROOT, f"{root} is not empty, and no dataset; name another folder")
            return fresh(columns, fps, robot_type, crops)
        _check_same(root, columns, fps, robot_type, info, crops)
        return existing(root, Dataset(root).info)
    except DatasetError:
        raise
    except READING_FAILS as error:
        raise DatasetError(
            f"{root} cannot be continued: {error}. `hilserl-worker dataset check` says what is wrong with it."
        ) from error


def _check_same(
    root: Path,
    columns: dict[str, Column],
    fps: float,
    robot_type: str | None,
    info: Info,
    crops: Crops | None,
) -> None:
    if info.codebase_version != VERSION:
        raise DatasetRefused(
            _ROOT,
            f"{root} is a dataset of version {info.codebase_version}, which can be read but not continued: name"
            " another folder, or convert it with LeRobot's convert_dataset_v21_to_v30",
        )
    different = differences(columns, fps, info, robot_type)
    known = crops_of(root)
    if crops is not None and known is not None:
        different += [
            f"crop of {key}: {list(crops.get(key, ())) or 'none'} here, {list(known.get(key, ())) or 'none'} there"
            for key in columns
            if crops.get(key) != known.get(key)
        ]
    if different:
        table = "".join(f"\n  {line}" for line in different)
        raise DatasetRefused(
            _ROOT,
            f"{root} holds a dataset with other features; use the configuration it was recorded with, or name another"
            f" folder. They differ in:{table}",
        )
