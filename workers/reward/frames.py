"""The frames of all datasets in one row: pictures on the disk, labels in memory.

Pictures are decoded once, become what the run sees, and go to a file without a name that the system keeps in memory as
far as there is room: 2,000 frames of two 128x128 cameras are 200 MB.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.dataset.errors import DatasetError
from workers.processors.features import IMAGES
from workers.reward.architecture import Size
from workers.reward.errors import ClassifierError
from workers.reward.labels import sure
from workers.reward.sources import Episode, Material, Source
from workers.reward.split import held_out, kind_of

Rows = NDArray[np.int64]
"""[n] numbers of frames, counted over all datasets."""
_SPARE_BYTES = 200_000_000
Told = Callable[[int, int], None]
"""How many frames of how many are done."""


@dataclass(frozen=True)
class Span:
    """The frames `start` to `stop - 1` are an episode."""

    source: Source
    episode: Episode
    start: int
    stop: int
    held_out: bool

    @property
    def rows(self) -> Rows:
        return np.arange(self.start, self.stop)


@dataclass(frozen=True)
class Block:
    """The frames `start` to `stop - 1` are a dataset."""

    source: Source
    start: int
    stop: int
    pictures: str
    """Digest of its pictures, as the run sees them."""
    labelled: str
    """Digest of its pictures and classes."""


@dataclass(frozen=True)
class Frames:
    """All frames."""

    pictures: dict[str, NDArray[np.uint8]]  # [N, H, W, 3] by camera
    classes: NDArray[np.int64]  # [N]
    spans: tuple[Span, ...]
    blocks: tuple[Block, ...]
    doubted: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    """Frames whose labels are not believed."""

    def __len__(self) -> int:
        return len(self.classes)

    def rows(self, held_out: bool) -> Rows:
        """Frames with a sure label that is believed: of the episodes that are kept from training, or of the others."""
        rows = [span.rows[sure(span.episode.classes)] for span in self.spans if span.held_out is held_out]
        return np.setdiff1d(np.concatenate(rows), self.doubted)

    def span_of(self, row: int) -> Span:
        starts = [span.start for span in self.spans]
        return self.spans[int(np.searchsorted(starts, row, "right")) - 1]

    def images(self, rows: Rows) -> dict[str, Tensor]:
        """Pictures of some frames, uint8 [n, H, W, 3] by camera."""
        return {camera: torch.from_numpy(of[rows]) for camera, of in self.pictures.items()}


def spans_of(material: Material, share: float, seed: int) -> tuple[Span, ...]:
    """Every episode, in order, and whether it is kept from training."""
    found = [(source, episode) for source in material.sources for episode in source.episodes]
    kept = held_out(
        [
            ((source.root.name, episode.number), kind_of(material.is_success(episode.classes)))
            for source, episode in found
        ],
        share,
        seed,
    )
    spans, start = [], 0
    for number, (source, episode) in enumerate(found):
        stop = start + len(episode.classes)
        spans.append(Span(source, episode, start, stop, number in kept))
        start = stop
    return tuple(spans)


def read(material: Material, spans: tuple[Span, ...], folder: Path, told: Told) -> Frames:
    """Read all pictures into a file in `folder`. Raises ClassifierError."""
    count = spans[-1].stop
    pictures = _rooms(material.cameras, count, folder)
    blocks = []
    for source in material.sources:
        digest = sha256()
        mine = [span for span in spans if span.source is source]
        for span in mine:
            _read_episode(span, pictures)
            for camera in material.cameras:
                digest.update(pictures[camera][span.start : span.stop].data)
            told(span.stop, count)
        seen = digest.hexdigest()
        for span in mine:
            digest.update(span.episode.classes.tobytes())
        blocks.append(Block(source, mine[0].start, mine[-1].stop, seen, digest.hexdigest()))
    classes = np.concatenate([span.episode.classes for span in spans])
    return Frames(pictures, classes, spans, tuple(blocks))


def _read_episode(span: Span, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    source = span.source
    try:
        for camera, room in pictures.items():
            views = source.dataset.pictures(span.episode.number, IMAGES + camera, threads=1)
            row = span.start
            for picture in views:
                room[row] = source.fit(camera, picture)
                row += 1
            if row != span.stop:
                raise DatasetError(
                    f"{source.root}: {camera} has {row - span.start} pictures of episode {span.episode.number}, which"
                    f" has {span.stop - span.start} frames. Let `hilserl-worker dataset check` look at it"
                )
    except DatasetError as error:
        raise ClassifierError(str(error)) from error


def _rooms(cameras: Mapping[str, Size], count: int, folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Room for `count` pictures of each camera, in a file that goes with the process. Raises ClassifierError."""
    sizes = {camera: count * height * width * 3 for camera, (height, width) in cameras.items()}
    needed = sum(sizes.values())
    try:
        free = shutil.disk_usage(folder).free
        if free < needed + _SPARE_BYTES:
            raise ClassifierError(
                f"the pictures of {count:,} frames need {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are"
                " free: free some, or name another folder with --output"
            )
        with tempfile.TemporaryFile(dir=folder) as file:
            whole = np.memmap(file, np.uint8, "w+", shape=(needed,))
    except OSError as error:
        raise ClassifierError(f"pictures cannot be kept in {folder}: {error.strerror}") from error
    rooms, start = {}, 0
    for camera, (height, width) in cameras.items():
        rooms[camera] = np.asarray(whole[start : start + sizes[camera]]).reshape(count, height, width, 3)
        start += sizes[camera]
    return rooms
