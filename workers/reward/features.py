"""What the encoder makes of the frames: anew for every batch where it is trained, from the disk where it is frozen.

A frozen encoder sees every frame a few times, once as it is and otherwise altered, and never again: what it made of
them is kept beside the classifier. The name of such a file is the digest of all that it depends on, pictures, weights
and alterations, so that it is right or not there.
"""

import contextlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.config import ClassifierConfig
from workers.dataset.durable import part_of, remove, sync_folder
from workers.reward.augment import Augmenter
from workers.reward.errors import ClassifierError
from workers.reward.frames import Frames, Rows, Told
from workers.reward.model import RewardClassifier

FOLDER = "features"
VIEWS = 4  # of a frame: as it is, and three times altered
_AT_ONCE = 32
_FORMAT = 1
Parts = tuple[Tensor, ...]
"""float32 [n, h, w, C] or [n, C], by camera."""


class Features(Protocol):
    """Gives what `RewardClassifier.judge` takes."""

    def __call__(self, rows: Rows, altered: bool) -> Parts:
        """Of these frames; `altered` at random, or as they are."""


def features_of(
    classifier: RewardClassifier,
    frames: Frames,
    config: ClassifierConfig,
    folder: Path,
    seed: int,
    told: Told,
) -> Features:
    """The features of `frames`, by the classifier's encoder. Raises ClassifierError where the disk is full."""
    if not classifier.encoder.frozen:
        return _Seen(classifier, frames, _augmenter(config, seed))
    return _Kept(classifier, frames, config, folder / FOLDER, seed, told)


def _augmenter(config: ClassifierConfig, seed: int) -> Augmenter:
    rng = np.random.default_rng(seed)
    return Augmenter(config.random_shift_px, config.colour_jitter, config.random_patches, rng)


class _Seen:
    """Of an encoder that is trained."""

    def __init__(self, classifier: RewardClassifier, frames: Frames, augmenter: Augmenter) -> None:
        self._classifier, self._frames, self._augmenter = classifier, frames, augmenter
        self._device = next(classifier.parameters()).device

    def __call__(self, rows: Rows, altered: bool) -> Parts:
        pictures = {camera: of[rows] for camera, of in self._frames.pictures.items()}
        if altered:
            pictures = self._augmenter(pictures)
        images = {camera: torch.from_numpy(of).to(self._device) for camera, of in pictures.items()}
        return self._classifier.features(images)


class _Kept:
    """Of a frozen encoder, float16 on the disk."""

    def __init__(
        self,
        classifier: RewardClassifier,
        frames: Frames,
        config: ClassifierConfig,
        folder: Path,
        seed: int,
        told: Told,
    ) -> None:
        self._classifier, self._frames, self._config = classifier, frames, config
        self._device = next(classifier.parameters()).device
        self._rng = np.random.default_rng(seed)
        first = self._encoded(np.zeros(1, np.int64), None)
        self._shapes = [part.shape[1:] for part in first]
        self._width = sum(shape.numel() for shape in self._shapes)
        settings = _digest_of(classifier, config, seed)
        names = [sha256((settings + block.pictures).encode()).hexdigest()[:32] for block in frames.blocks]
        self._starts = [block.start for block in frames.blocks]
        self._files = [
            self._file(folder / f"{name}.f16", np.arange(block.start, block.stop), told)
            for name, block in zip(names, frames.blocks, strict=True)
        ]
        remove(path for path in folder.iterdir() if path.stem not in names)

    def __call__(self, rows: Rows, altered: bool) -> Parts:
        views = self._rng.integers(1, VIEWS, len(rows)) if altered else np.zeros(len(rows), np.int64)
        of = np.searchsorted(self._starts, rows, "right") - 1
        found = np.empty((len(rows), self._width), np.float16)
        for number, (start, file) in enumerate(zip(self._starts, self._files, strict=True)):
            here = of == number
            found[here] = file[views[here], rows[here] - start]
        whole = torch.from_numpy(found).to(self._device).float()
        sizes = [shape.numel() for shape in self._shapes]
        parts = torch.split(whole, sizes, dim=1)
        return tuple(part.reshape(-1, *shape) for part, shape in zip(parts, self._shapes, strict=True))

    def _file(self, path: Path, rows: Rows, told: Told) -> NDArray[np.float16]:
        """The features of one dataset, [VIEWS, frames, width]. Raises ClassifierError."""
        shape = (VIEWS, len(rows), self._width)
        try:
            if path.exists() and path.stat().st_size == 2 * int(np.prod(shape)):
                return np.memmap(path, np.float16, "r", shape=shape)
            path.parent.mkdir(parents=True, exist_ok=True)
            with part_of(path).open("wb") as file:
                augmenter = _augmenter(self._config, int(path.stem, 16))
                for view, batch in self._batches(rows, told):
                    parts = self._encoded(batch, augmenter if view else None)
                    flat = torch.cat([part.flatten(1) for part in parts], 1)
                    file.write(flat.half().cpu().numpy().tobytes())
            part_of(path).rename(path)
            sync_folder(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                part_of(path).unlink()
            raise ClassifierError(
                f"the features of {len(rows):,} frames, {2e-9 * float(np.prod(shape)):.1f} GB, cannot be kept in"
                f" {path.parent}: {error.strerror}. Free some space, or name another folder with --output"
            ) from error
        return np.memmap(path, np.float16, "r", shape=shape)

    def _batches(self, rows: Rows, told: Told) -> Iterator[tuple[int, Rows]]:
        for view in range(VIEWS):
            for start in range(0, len(rows), _AT_ONCE):
                told(view * len(rows) + start, VIEWS * len(rows))
                yield view, rows[start : start + _AT_ONCE]

    def _encoded(self, rows: Rows, augmenter: Augmenter | None) -> Parts:
        """Of frames as they are, or as the augmenter alters them."""
        still = augmenter or _augmenter(self._config, 0)
        with torch.no_grad():
            return _Seen(self._classifier, self._frames, still)(rows, altered=augmenter is not None)


def _digest_of(classifier: RewardClassifier, config: ClassifierConfig, seed: int) -> str:
    """Of all but the pictures: weights of the encoder, what it does to bytes, alterations."""
    digest = sha256()
    for name, tensor in classifier.encoder.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    alterations = (config.random_shift_px, config.colour_jitter, config.random_patches, seed, VIEWS, _FORMAT)
    of = classifier.architecture
    seen = (
        of.cameras,
        of.image_mean,
        of.image_std,
        of.input_size,
        of.model_type,
        of.model_name,
        of.transformer,
    )
    digest.update(msgspec.json.encode((seen, alterations)))
    return digest.hexdigest()
