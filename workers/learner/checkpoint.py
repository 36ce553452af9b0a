"""Checkpoints: a directory written aside, verified by hash, published by one rename.

    step-00001200/ state.safetensors, manifest.json (sizes and SHA-256, counters, log position, settings hash)
    LATEST         name of the newest one

A kill or a full disk at any moment leaves the old checkpoints as they were. Replay is not in here: the log
has it.
"""

import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

KEEP_AT_LEAST = 3
_STATE = "state.safetensors"
_MANIFEST = "manifest.json"
log = logging.getLogger(__name__)


class NoCheckpoint(Exception):
    """Nothing to resume from; the message says what is wrong with each checkpoint there is."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a checkpoint holds, and the proof that it is whole."""

    format: int = 1
    step: int
    """Critic updates done; names the directory."""
    log_position: int
    """Sequence number of the next log record to be read."""
    settings_hash: str
    """Of the settings it was trained with, see `settings_hash.py`."""
    counters: dict[str, int]
    """The caller's counters."""
    rng: dict[str, object]
    """State of the NumPy generator that draws batches."""
    sha256: dict[str, str]
    """SHA-256 of each file."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything needed to go on as if never stopped."""

    step: int
    log_position: int
    settings_hash: str
    counters: Mapping[str, int]
    rng: Mapping[str, object]
    """`numpy.random.Generator.bit_generator.state`"""
    tensors: Mapping[str, Tensor]
    """`sac_state.state_tensors`: CPU copies that nobody changes any more."""


class CheckpointStore:
    """The checkpoints of one run; keeps the newest `keep`."""

    def __init__(self, directory: Path, keep: int = KEEP_AT_LEAST) -> None:
        self._directory = directory
        self._keep = max(keep, KEEP_AT_LEAST)
        self._thread: threading.Thread | None = None
        self.rejected: list[str] = []
        """Why newer checkpoints were passed over by the last `load`."""
        self.error = ""
        """Why the last background save failed; empty when it did not."""

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint and drop the oldest ones. Raises OSError; earlier ones stay as they were."""
        self._directory.mkdir(parents=True, exist_ok=True)
        final = self._directory / f"step-{checkpoint.step:08d}"
        aside = final.with_name(final.name + ".tmp")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        try:
            self._write(aside, checkpoint)
        except OSError:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        if final.exists():
            shutil.rmtree(final)
        aside.rename(final)
        _sync_directory(self._directory)
        self._point_to(final.name)
        for old in self.paths()[: -self._keep]:
            shutil.rmtree(old, ignore_errors=True)
        return final

    def save_async(self, checkpoint: Checkpoint) -> bool:
        """`save` in a background thread; False, and nothing done, while the previous one is being written."""
        if self._thread is not None and self._thread.is_alive():
            return False
        self._thread = threading.Thread(target=self._save_quietly, args=(checkpoint,), name="checkpoint")
        self._thread.start()
        return True

    def wait(self) -> None:
        """Until a background save is done."""
        if self._thread is not None:
            self._thread.join()

    def _save_quietly(self, checkpoint: Checkpoint) -> None:
        try:
            self.save(checkpoint)
            self.error = ""
        except OSError as error:
            self.error = f"checkpoint {checkpoint.step} was not written: {error}; earlier ones are intact"
            log.error(self.error)

    def paths(self) -> list[Path]:
        """Published checkpoints, oldest first."""
        return sorted(path for path in self._directory.glob("step-*") if path.suffix != ".tmp")

    def load(self, settings_hash: str | None = None) -> Checkpoint:
        """The newest good checkpoint; `rejected` names what was wrong with newer ones.

        Raises NoCheckpoint when there is none, or the newest good one is not of `settings_hash`.
        """
        self.rejected = []
        for path in reversed(self.paths()):
            try:
                checkpoint = read_checkpoint(path)
            except (OSError, ValueError) as error:
                self.rejected.append(f"{path.name}: {error}")
                continue
            if settings_hash is not None and checkpoint.settings_hash != settings_hash:
                raise NoCheckpoint(
                    f"{path.name} was trained with other network or algorithm settings."
                    " Restore them, or start a new run."
                )
            return checkpoint
        raise NoCheckpoint("; ".join(self.rejected) or f"no checkpoint in {self._directory}")

    def _write(self, aside: Path, checkpoint: Checkpoint) -> None:
        state = save(dict(checkpoint.tensors))
        manifest = Manifest(
            step=checkpoint.step,
            log_position=checkpoint.log_position,
            settings_hash=checkpoint.settings_hash,
            counters=dict(checkpoint.counters),
            rng=_big_integers_as_text(checkpoint.rng),
            sha256={_STATE: hashlib.sha256(state).hexdigest()},
        )
        _write_synced(aside / _STATE, state)
        _write_synced(aside / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        _sync_directory(aside)

    def _point_to(self, name: str) -> None:
        aside = self._directory / "LATEST.tmp"
        _write_synced(aside, name.encode())
        aside.rename(self._directory / "LATEST")
        _sync_directory(self._directory)


def read_checkpoint(path: Path) -> Checkpoint:
    """One checkpoint, verified. Raises ValueError saying what is wrong, or OSError."""
    try:
        manifest = msgspec.json.decode((path / _MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise ValueError(f"manifest cannot be read ({error})") from error
    state = (path / _STATE).read_bytes()
    if hashlib.sha256(state).hexdigest() != manifest.sha256.get(_STATE):
        raise ValueError(f"{_STATE} does not match its SHA-256: damaged on disk")
    try:
        tensors = load(state)
    except SafetensorError as error:
        raise ValueError(f"{_STATE} cannot be read ({error})") from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} has NaN or infinity: training had diverged")
    return Checkpoint(
        step=manifest.step,
        log_position=manifest.log_position,
        settings_hash=manifest.settings_hash,
        counters=manifest.counters,
        rng=_text_as_big_integers(manifest.rng),
        tensors=tensors,
    )


def _big_integers_as_text(state: Mapping[str, object]) -> dict[str, object]:
    """NumPy's 128-bit generator state does not fit a JSON number: integers become "int:<digits>"."""
    return {
        key: _big_integers_as_text(value)
        if isinstance(value, Mapping)
        else f"int:{value}"
        if isinstance(value, int)
        else value
        for key, value in state.items()
    }


def _text_as_big_integers(state: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _text_as_big_integers(value)
        if isinstance(value, dict)
        else int(value.removeprefix("int:"))
        if isinstance(value, str) and value.startswith("int:")
        else value
        for key, value in state.items()
    }


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
