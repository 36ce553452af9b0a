"""Where the learner lays policies for an actor on the same machine: written aside, then renamed."""

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

KEPT = 3  # the actor may be reading an older one while a newer arrives


class PolicyShelf:
    """Files `policy-<version>.safetensors` in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def publish(self, version: int, tensors: Mapping[str, Tensor]) -> None:
        """Lay down a version; readers see it whole or not at all."""
        path = self._path(version)
        aside = path.with_suffix(".tmp")
        aside.write_bytes(save(dict(tensors)))
        os.replace(aside, path)
        for old in self.versions()[:-KEPT]:
            self._path(old).unlink(missing_ok=True)

    def read(self, version: int) -> bytes | None:
        """The safetensors bytes of a version; None when it is no longer there (a newer one is)."""
        try:
            return self._path(version).read_bytes()
        except FileNotFoundError:
            return None

    def versions(self) -> list[int]:
        """Versions on the shelf, oldest first."""
        return sorted(int(path.stem.split("-")[1]) for path in self._directory.glob("policy-*.safetensors"))

    def _path(self, version: int) -> Path:
        return self._directory / f"policy-{version:08d}.safetensors"
