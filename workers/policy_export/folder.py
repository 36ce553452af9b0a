"""A policy in a folder of its own: written whole or not at all, loaded to drive an arm again.

policy.safetensors   weights, as `policy_tensors(sac)` names them
policy.json          features, settings of the networks, where it comes from, hash of the weights
README.md            the same for people
"""

import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from workers.actor.policy import Policy
from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.policy_settings import PolicySettings
from workers.learner.settings_hash import FREE_POLICY_KEYS
from workers.policy_export.source import Exportable, ExportRefused, Origin
from workers.transport.record import FeatureSpec

FORMAT = 1
WEIGHTS, DESCRIPTION, CARD = "policy.safetensors", "policy.json", "README.md"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of policy.json."""

    format: int = FORMAT
    features: FeatureSpec
    policy: dict[str, object]
    """Keys of [policy] that shape the networks."""
    discrete_exploration: float
    origin: Origin
    sha256: str
    """Of policy.safetensors, in hexadecimal."""


def own_files(exportable: Exportable) -> dict[str, bytes]:
    """The files of our own format, by name."""
    weights = save(exportable.tensors)
    settings = exportable.settings
    networks = msgspec.to_builtins(settings.policy)
    description = Description(
        features=settings.features,
        policy={key: value for key, value in networks.items() if key not in FREE_POLICY_KEYS},
        discrete_exploration=settings.algorithm.discrete_exploration,
        origin=exportable.origin,
        sha256=sha256(weights).hexdigest(),
    )
    return {
        WEIGHTS: weights,
        DESCRIPTION: msgspec.json.format(msgspec.json.encode(description)),
        CARD: card(exportable, "`workers.policy_export.folder.load_exported(folder)` loads it."),
    }


def card(exportable: Exportable, how_to_load: str) -> bytes:
    """README.md: what the policy is, for people and the hub."""
    origin, features = exportable.origin, exportable.settings.features
    success = origin.success
    told = f"{success.successes} of {success.trials} alone" if success else "not evaluated"
    cameras = (
        f"{', '.join(features.cameras)} ({features.width}x{features.height})" if features.cameras else "none"
    )
    gripper = " and a gripper command (0 close, 1 stay, 2 open)" if features.gripper else ""
    return f"""---
tags: [robotics, reinforcement-learning, hil-serl]
---

# {origin.run}, policy {origin.policy_version}

A policy learned with HIL-SERL in hilserl-tui. Success: {told}.

- cameras: {cameras}
- `observation.state`: {features.state_dim} elements, scaled by hilserl-tui's pipeline
- action: {features.motion_dim} motions in [-1, 1]{gripper}

{how_to_load}
""".encode()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` as the new folder `folder`, all of them or none.

    Raises ExportRefused when something is there already, OSError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportRefused(
            f"{folder} is there already and not empty: nothing was written; give another --to"
        )
    aside = folder.with_name(f".{folder.name}.tmp-{os.getpid()}")
    try:
        aside.mkdir(parents=True)
        for name, data in files.items():
            (aside / name).write_bytes(data)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_exported(folder: Path, device: torch.device | str = "cpu") -> Policy:
    """The policy of a folder in our format, ready to act. Raises ExportRefused, OSError."""
    return read_folder(folder).policy(device)


def read_folder(folder: Path) -> Exportable:
    """A folder in our format. Raises ExportRefused, OSError."""
    try:
        description = msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Description)
        if description.format != FORMAT:
            raise ExportRefused(f"{folder} has format {description.format}; this version reads {FORMAT}")
        weights = (folder / WEIGHTS).read_bytes()
        if sha256(weights).hexdigest() != description.sha256:
            raise ExportRefused(f"{folder / WEIGHTS} is not what {DESCRIPTION} says: damaged, or exchanged")
        settings = PolicySettings(
            run=description.origin.run,
            features=description.features,
            policy=msgspec.convert(description.policy, PolicyConfig),
            algorithm=AlgorithmConfig(discrete_exploration=description.discrete_exploration),
        )
        return Exportable(settings, load(weights), description.origin)
    except FileNotFoundError as error:
        raise ExportRefused(f"{folder} is not an exported policy: {error.filename} is missing") from error
    except (msgspec.DecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise ExportRefused(f"{folder} is not an exported policy of this version: {error}") from error
