"""One checkpoint: a directory of safetensors files and a manifest that proves them whole.

    step-00001200/ encoder.safetensors, actor.safetensors, ... , manifest.json

Replay is not in here: the logs have it, and the manifest says how far each was read, and in which order.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from workers.learner.intake_order import IntakeMark
from workers.transport.log_format import sync_directory

FORMAT = 2
MANIFEST = "manifest.json"


class LogPosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far one log was read."""

    records: int
    """Records taken in: the sequence number of the next."""
    epoch: str = ""
    """Which log it was: drawn when a log is made, in hexadecimal; empty when it had none."""


class FileProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file of a checkpoint must be."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a checkpoint holds, and the proof that it is whole; see `Checkpoint` for the rest."""

    format: int = FORMAT
    step: int
    logs: dict[str, LogPosition]
    intake: IntakeMark | None
    settings_hash: str
    features_hash: str
    counters: dict[str, int]
    rng: dict[str, object]
    versions: dict[str, str]
    """Of what wrote it; for people."""
    files: dict[str, FileProof]
    sha256: str = ""
    """Of this manifest, with this field empty."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything needed to go on as if never stopped."""

    step: int
    """Critic updates done."""
    logs: Mapping[str, LogPosition]
    """By the name of the source."""
    intake: IntakeMark | None
    """Where the order of intake ends; None where a single log needs none."""
    settings_hash: str
    """Of the settings it was trained with, see `settings_hash.py`."""
    features_hash: str
    """Of the shapes of observations and actions; empty when not known."""
    counters: Mapping[str, int]
    rng: Mapping[str, object]
    """`numpy.random.Generator.bit_generator.state` of the generator that draws batches."""
    tensors: Mapping[str, Tensor]
    """`sac_state.state_tensors`: CPU copies that nobody changes while they are written."""


def write_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Write into the empty `directory`; all of it is on disk afterwards. Raises OSError.

    One file a network: the interpreter is held while a file's bytes are put together, and training waits.
    """
    files = {}
    for name, tensors in _parts(checkpoint.tensors).items():
        data = save(tensors)
        files[name] = FileProof(hashlib.sha256(data).hexdigest(), len(data))
        write_synced(directory / name, data)
    manifest = Manifest(
        step=checkpoint.step,
        logs=dict(checkpoint.logs),
        intake=checkpoint.intake,
        settings_hash=checkpoint.settings_hash,
        features_hash=checkpoint.features_hash,
        counters=dict(checkpoint.counters),
        rng=_big_integers_as_text(checkpoint.rng),
        versions={"hilserl-tui": version("hilserl-tui"), "torch": str(torch.__version__)},
        files=files,
    )
    write_synced(directory / MANIFEST, _manifest_text(manifest))
    sync_directory(directory)


def read_manifest(path: Path) -> Manifest:
    """The verified manifest of the checkpoint at `path`. Raises ValueError saying what is wrong, or OSError."""
    data = (path / MANIFEST).read_bytes()
    try:
        if msgspec.json.decode(data, type=_FormatOnly).format == 1:
            return _from_format_1(msgspec.json.decode(data, type=_ManifestFormat1), path)
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{MANIFEST} cannot be read ({error})") from error
    if manifest.format != FORMAT:
        raise ValueError(f"{MANIFEST} has format {manifest.format}; this version reads 1 and {FORMAT}")
    if data != _manifest_text(msgspec.structs.replace(manifest, sha256="")):
        raise ValueError(f"{MANIFEST} does not match its SHA-256: damaged on disk")
    return manifest


def read_checkpoint(path: Path) -> Checkpoint:
    """One checkpoint, verified. Raises ValueError saying what is wrong, or OSError."""
    manifest = read_manifest(path)
    tensors: dict[str, Tensor] = {}
    for name, proof in manifest.files.items():
        tensors |= _read_part(path / name, proof)
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} has NaN or infinity: training had diverged")
    return Checkpoint(
        step=manifest.step,
        logs=manifest.logs,
        intake=manifest.intake,
        settings_hash=manifest.settings_hash,
        features_hash=manifest.features_hash,
        counters=manifest.counters,
        rng=_text_as_big_integers(manifest.rng),
        tensors=tensors,
    )


def _read_part(path: Path, proof: FileProof) -> dict[str, Tensor]:
    size = path.stat().st_size
    if size != proof.size:
        raise ValueError(f"{path.name} has {size:,} bytes instead of {proof.size:,}: damaged on disk")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != proof.sha256:
        raise ValueError(f"{path.name} does not match its SHA-256: damaged on disk")
    try:
        return load(data)
    except SafetensorError as error:
        raise ValueError(f"{path.name} cannot be read ({error})") from error


def _parts(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """File name -> its tensors: `<network>.*`, `optimiser.<which>.*`, and the few beside them."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        words = name.split(".")
        part = "-".join(words[:2]) if words[0] == "optimiser" else words[0] if len(words) > 1 else "state"
        parts.setdefault(f"{part}.safetensors", {})[name] = tensor
    return parts


def _manifest_text(manifest: Manifest) -> bytes:
    """The bytes of a manifest whose `sha256` is empty, with it filled in."""
    digest = hashlib.sha256(msgspec.json.encode(manifest)).hexdigest()
    return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(manifest, sha256=digest)))


# Format 1: one log, one file, as versions before 0.2 wrote it


class _FormatOnly(msgspec.Struct):
    format: int


class _ManifestFormat1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int
    step: int
    log_position: int
    settings_hash: str
    counters: dict[str, int]
    rng: dict[str, object]
    sha256: dict[str, str]


def _from_format_1(old: _ManifestFormat1, path: Path) -> Manifest:
    return Manifest(
        step=old.step,
        logs={"": LogPosition(old.log_position)},
        intake=None,
        settings_hash=old.settings_hash,
        features_hash="",
        counters=old.counters,
        rng=old.rng,
        versions={},
        files={name: FileProof(sha256, (path / name).stat().st_size) for name, sha256 in old.sha256.items()},
    )


# The generator's state as JSON


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


# Onto the disk


def write_synced(path: Path, data: bytes) -> None:
    """Write a file, for its owner only, and wait until it is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
